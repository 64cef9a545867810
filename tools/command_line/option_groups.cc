#include "tools/command_line/option_groups.h"

#include <algorithm>
#include <string>

#include "engine/model/map_size.h"
#include "engine/program/tuned_machine.h"
#include "kernels/isa/isa.h"

namespace vgg19 {

namespace {

constexpr std::size_t pixels_of_a_megapixel = 1'000'000;

/// The ISAs in this build.
std::string isa_list() {
    std::string names;
    for (const kernels::Isa isa : kernels::all_isas()) {
        if (!kernels::isa_is_built(isa)) continue;
        names += (names.empty() ? "" : ", ") + std::string(kernels::isa_name(isa));
    }
    return names;
}

}  // namespace

void add_model_option(CommandLine& line) {
    line.option("m,model", "FILE",
                "the model; default: torchvision's weights, if they are in the cache folder, where "
                "script/fetch-weights puts them");
}

void add_output_option(CommandLine& line) {
    line.option("o,output", "FILE", "the model file to write (required)");
}

void add_pack_option(CommandLine& line) {
    line.flag("pack",
              "write a packed file: smaller on the disk, unpacked when it is read; all commands take it, and "
              "`zstd -d` gives the plain file");
}

void add_size_option(CommandLine& line) {
    line.option(
        "size", "SIZE",
        "the network's input in pixels: 224, or height x width such as 224x320, each from 32 (16 where the "
        "layers asked for allow it) to 8192; "
        "default: the model's own");
}

void add_threads_option(CommandLine& line) {
    line.option("threads", "N", "the number of threads; default: as many as this process has CPUs");
}

void add_isa_option(CommandLine& line) {
    line.option(
        "isa", "NAME",
        "instruction set: " + isa_list() + "; default: $VGG19_ISA, else the best that this CPU supports");
}

void add_cpu_options(CommandLine& line) {
    add_threads_option(line);
    add_isa_option(line);
}

MapSize size_option(const CommandLine& line, std::size_t smallest_side) {
    return line.given("size") ? model::input_size_option("size", line.text("size"), smallest_side)
                              : MapSize();
}

int threads_option(const CommandLine& line) {
    return line.given("threads") ? static_cast<int>(line.whole_number("threads", 1, most_threads)) : 0;
}

void add_convolution_option(CommandLine& line) {
    line.option(
        "conv", "NAME",
        "convolution kernels: winograd (our own), direct (our own, for INT8), onednn, or auto (of our "
        "own, chosen for each layer by expected speed)",
        "auto");
}

void add_plan_option(CommandLine& line) {
    line.option(
        "plan", "FILE",
        "choose kernels and schedules by the constants in this file of `vgg19 tune`; none: by those of "
        "the CPU's kind; default: this CPU's file in the cache folder, if it has been tuned");
}

std::string plan_file_option(const CommandLine& line) {
    const std::string given = line.text("plan");
    if (given == "none") return {};
    return given.empty() ? find_tuned_machine().path.string() : given;
}

void add_session_options(CommandLine& line) {
    add_size_option(line);
    add_cpu_options(line);
    add_convolution_option(line);
    add_plan_option(line);
}

SessionOptions session_options(const CommandLine& line, std::size_t smallest_side) {
    SessionOptions options;
    options.set_input_size(size_option(line, smallest_side));
    options.threads = threads_option(line);
    options.isa = line.text("isa");
    options.convolution = line.text("conv");
    options.plan_file = plan_file_option(line);
    return options;
}

void add_image_options(CommandLine& line) {
    line.flag("no-exif",
              "ignore the EXIF orientation of pictures, as Pillow's and torchvision's loaders do; default: "
              "apply it, because phones store the sensor's rows and, separately, how the phone was held")
        .option("max-megapixels", "N", "the largest picture to read, in millions of pixels",
                std::to_string(ImageLimits{}.max_pixels / pixels_of_a_megapixel));
}

ImageOptions image_options(const CommandLine& line) {
    constexpr std::size_t most_megapixels = 10'000;
    ImageOptions options;
    options.apply_exif = !line.given("no-exif");
    const std::size_t by_default = options.limits.max_pixels / pixels_of_a_megapixel;
    const std::size_t megapixels = line.whole_number("max-megapixels", 1, most_megapixels);
    options.limits.max_pixels = megapixels * pixels_of_a_megapixel;
    // Larger pictures have larger files.
    options.limits.max_file_bytes *= std::max<std::size_t>(1, (megapixels + by_default - 1) / by_default);
    return options;
}

void keep_sides_for(MapSize input_size, ImageOptions& options) {
    constexpr std::size_t reduced_sides = 8;
    options.reduced_short_side =
        std::max(options.reduced_short_side, reduced_sides * std::max(input_size.height, input_size.width));
}

}  // namespace vgg19
