// vgg19 stylize
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "engine/image/formats.h"
#include "engine/model/json.h"
#include "engine/model/map_size.h"
#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/layer_names.h"
#include "tools/model_option.h"
#include "tools/picture_sizes.h"
#include "tools/png_file.h"
#include "tools/progress_bar.h"
#include "tools/style/adam.h"
#include "tools/style/lbfgs.h"
#include "tools/style/objective.h"
#include "tools/style/pixels.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::tools {

namespace {

using model::Json;

constexpr std::size_t usual_long_side = 512;

void add_style_options(CommandLine& line) {
    line.group("Loss")
        .list_option("content-layers", "LIST",
                     "layers whose values stay like the content's; default: relu4_2")
        .list_option("style-layers", "LIST",
                     "layers whose Gram matrices become like the style's; default: relu1_1,relu2_1,relu3_1,"
                     "relu4_1,relu5_1")
        .option("content-weight", "W", "of the mean squared difference of the content layers' values", "1")
        .option("style-weight", "W",
                "of the mean squared difference of Gram matrices, which are divided by channels x pixels",
                "1000000")
        .option(
            "tv-weight", "W",
            "of the total variation (the mean absolute difference of neighbouring pixels): more is smoother",
            "0")
        .option("pooling", "NAME", "pools between convolutions: max or average; default: the model's own");
}

void add_search_options(CommandLine& line) {
    line.group("Search")
        .option("steps", "N", "steps of the optimizer", "300")
        .option("optimizer", "NAME", "lbfgs or adam", "lbfgs")
        .option("rate", "R", "the step size of adam, where pixels are 0 to 1", "0.02")
        .option("init", "NAME", "the picture to begin with: content or noise", "content")
        .option("seed", "N", "for --init noise", "1")
        .option("preview-every", "N",
                "also write the picture, to the same file, every N steps; 0: only at the end", "0");
}

CommandLine command_line() {
    CommandLine line(
        "stylize",
        "Paints a picture that has the content of one and the style of another, by the gradients of a "
        "model (Gatys,\n"
        "Ecker and Bethge 2016): it changes pixels until layers see the same content, and the same "
        "textures. Needs an\n"
        "FP32 model. Ctrl-C ends early and writes what there is.",
        "[-m MODEL] CONTENT STYLE -o FILE\n\nCONTENT, STYLE: " + readable_formats());
    add_model_option(line);
    line.option("o,output", "FILE", "the PNG to write (required)")
        .option("long-side", "N",
                "the longer side of the result in pixels; default: the content's own, but at most " +
                    std::to_string(usual_long_side))
        .option("style-scale", "S", "the style picture's longer side, relative to the result's", "1")
        .flag("json",
              "print an object: output, size, steps, evaluations (of loss and gradient), first_loss, loss "
              "and its "
              "parts content, style and variation, seconds");
    add_cpu_options(line);
    add_convolution_option(line);
    add_plan_option(line);
    add_image_options(line);
    add_style_options(line);
    add_search_options(line);
    line.example("vgg19 stylize -m vgg19.safetensors photo.jpg starry-night.jpg -o painted.png")
        .example(
            "vgg19 stylize -m vgg19.safetensors photo.jpg mosaic.png -o painted.png --long-side 1024 "
            "--steps 500 --preview-every 50");
    return line;
}

std::string one_of(const CommandLine& line, const std::string& option,
                   const std::vector<std::string>& values) {
    std::string text = line.text(option);
    if (std::find(values.begin(), values.end(), text) != values.end()) return text;
    throw Error(ErrorKind::usage,
                "--" + option + ": expected " + values[0] + " or " + values[1] + ", found '" + text + "'");
}

StyleLayers layers_option(const CommandLine& line) {
    StyleLayers layers;
    if (line.given("content-layers")) layers.content = layer_list(line, "content-layers");
    if (line.given("style-layers")) layers.style = layer_list(line, "style-layers");
    return layers;
}

StyleWeights weights_option(const CommandLine& line) {
    constexpr double most = 1e12;
    const StyleWeights weights = {.content = line.number("content-weight", 0, most),
                                  .style = line.number("style-weight", 0, most),
                                  .variation = line.number("tv-weight", 0, most)};
    if (weights.content + weights.style > 0) return weights;
    throw Error(ErrorKind::usage, "--content-weight, --style-weight: expected one above 0, found 0 for both");
}

SessionOptions session_options_of(const CommandLine& line, const StyleLayers& layers, MapSize size) {
    SessionOptions options;
    options.set_input_size(size);
    options.threads = threads_option(line);
    options.isa = line.text("isa");
    options.convolution = line.text("conv");
    options.plan_file = plan_file_option(line);
    options.outputs = layers.outputs();
    options.gradients = true;
    if (line.given("pooling")) {
        options.pooling =
            one_of(line, "pooling", {"max", "average"}) == "max" ? Pooling::max : Pooling::average;
    }
    return options;
}

struct Pictures {
    Image content;
    Image style;
};

/// The content's and the style's.
std::vector<std::string> picture_paths(const CommandLine& line) {
    std::vector<std::string> paths = line.arguments("CONTENT and STYLE");
    if (paths.size() != 2) {
        throw Error(ErrorKind::usage, "expected CONTENT and STYLE, found " + std::to_string(paths.size()) +
                                          " pictures; see: vgg19 stylize --help");
    }
    return paths;
}

Pictures read_pictures(const CommandLine& line) {
    const std::vector<std::string> paths = picture_paths(line);
    constexpr double least_scale = 0.1;
    constexpr double most_scale = 10;
    const ImageOptions options = image_options(line);
    Image content = load_image(paths[0], options);
    const MapSize size = long_side_option(line, size_of(content), usual_long_side);
    content = resized(std::move(content), size);
    Image style = load_image(paths[1], options);
    const double style_side = line.number("style-scale", least_scale, most_scale) *
                              static_cast<double>(std::max(size.height, size.width));
    const MapSize style_size =
        with_long_side(size_of(style), static_cast<std::size_t>(std::lround(style_side)));
    return {std::move(content), resized(std::move(style), style_size)};
}

/// What the search has found.
struct Found {
    std::vector<float> planes;
    std::size_t steps = 0;
    std::size_t evaluations = 0;
    double first_loss = 0;
    double value = 0;  ///< the loss of the planes
    StyleLoss loss{};  ///< its parts; only at the end of a search
};

/// Called after each step; false ends the search.
using AfterStep = std::function<bool(const Found& found)>;

Found search_by_lbfgs(StyleObjective& objective, std::vector<float> start, std::size_t steps,
                      const AfterStep& after) {
    Found found = {.planes = start};
    Lbfgs lbfgs([&objective](auto x, auto gradient) { return objective(x, gradient); }, std::move(start));
    found.first_loss = found.value = lbfgs.value();
    try {
        while (found.steps < steps && lbfgs.step()) {
            ++found.steps;
            found.planes = lbfgs.x();
            found.value = lbfgs.value();
            if (!after(found)) break;
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::cancelled) throw;
    }
    found.evaluations = lbfgs.evaluations();
    return found;
}

Found search_by_adam(StyleObjective& objective, std::vector<float> start, std::size_t steps, double rate,
                     const AfterStep& after) {
    Found found = {.planes = start};
    Adam adam([&objective](auto x, auto gradient) { return objective(x, gradient); }, std::move(start), rate);
    try {
        while (found.steps < steps) {
            found.value = adam.step();  // before the step: the loss after it would take another evaluation
            if (found.steps == 0) found.first_loss = found.value;
            ++found.steps;
            ++found.evaluations;
            found.planes = adam.x();
            if (!after(found)) break;
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::cancelled) throw;
    }
    return found;
}

Found search(const CommandLine& line, StyleObjective& objective, const Image& content) {
    constexpr std::size_t most_steps = 1'000'000;
    const std::size_t steps = line.whole_number("steps", 1, most_steps);
    const std::size_t preview = line.whole_number("preview-every", 0, most_steps);
    const std::string output = line.required("output");
    const bool from_noise = one_of(line, "init", {"content", "noise"}) == "noise";
    const bool by_adam = one_of(line, "optimizer", {"lbfgs", "adam"}) == "adam";
    if (line.given("seed") && !from_noise) throw Error(ErrorKind::usage, "--seed is only for --init noise");
    if (line.given("rate") && !by_adam) throw Error(ErrorKind::usage, "--rate is only for --optimizer adam");
    const MapSize size = size_of(content);
    ProgressBar bar("painting", ProgressUnit::items);
    const AfterStep after = [&](const Found& found) {
        bar.set_note("loss " + shortest_text(static_cast<float>(found.value)));
        bar.update(found.steps, steps);
        if (preview > 0 && found.steps % preview == 0) {
            write_png(output, image_of(found.planes, size).view());
        }
        return !InterruptGuard::interrupted();
    };
    std::vector<float> start =
        from_noise ? noise_planes(size, line.whole_number("seed", 0, SIZE_MAX)) : planes_of(content.view());
    Found found =
        by_adam ? search_by_adam(objective, std::move(start), steps, line.number("rate", 1e-9, 1e3), after)
                : search_by_lbfgs(objective, std::move(start), steps, after);
    bar.clear();
    // The last evaluation need not have been of this picture.
    objective.is_cancelled = {};
    std::vector<float> gradient(found.planes.size());
    objective(found.planes, gradient);
    found.loss = objective.loss();
    return found;
}

void print(const CommandLine& line, const Found& found, MapSize size, double seconds) {
    const std::string output = line.required("output");
    if (line.given("json")) {
        Json json;
        json.set("output", output).set("size", model::size_json(size));
        json.set("steps", found.steps).set("evaluations", found.evaluations);
        json.set("first_loss", found.first_loss).set("loss", found.loss.total());
        json.set("content", found.loss.content).set("style", found.loss.style);
        json.set("variation", found.loss.variation).set("seconds", seconds);
        std::cout << json.dump(2) << '\n';
        return;
    }
    const auto number = [](double value) { return shortest_text(static_cast<float>(value)); };
    std::cout << output << ": " << model::pixels_text(size) << ", " << found.steps << " steps in "
              << fixed(seconds, 1) << " s, loss " << number(found.loss.total()) << " (content "
              << number(found.loss.content) << ", style " << number(found.loss.style) << ", variation "
              << number(found.loss.variation) << "), at first " << number(found.first_loss) << '\n';
}

}  // namespace

int stylize(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const std::string model_path = model_option(line);
    const std::string output = line.required("output");
    check_png_destination(output);
    model::require_other_file(model_path, output);
    for (const std::string& picture : picture_paths(line)) model::require_other_file(picture, output);
    const StyleLayers layers = layers_option(line);
    const StyleWeights weights = weights_option(line);
    one_of(line, "init", {"content", "noise"});
    one_of(line, "optimizer", {"lbfgs", "adam"});

    const Model model = model::map_model(model_path);
    const Pictures pictures = read_pictures(line);
    Session session(model, session_options_of(line, layers, size_of(pictures.content)));
    StyleObjective objective(session, layers, weights, pictures.content, pictures.style,
                             {.threads = threads_option(line), .isa = line.text("isa")});
    const InterruptGuard guard("\nvgg19 stylize: ending, and writing the picture\n");
    objective.is_cancelled = InterruptGuard::interrupted;
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    const Found found = search(line, objective, pictures.content);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    write_png(output, image_of(found.planes, size_of(pictures.content)).view());
    print(line, found, size_of(pictures.content), seconds);
    return exit_done;
}

}  // namespace vgg19::tools
