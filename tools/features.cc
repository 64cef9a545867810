// vgg19 features
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "converter/data/left_out.h"
#include "engine/image/formats.h"
#include "engine/model/foreign_text.h"
#include "engine/model/map_size.h"
#include "engine/model/mapped_file.h"
#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "engine/model/network.h"
#include "engine/model/sha256.h"
#include "kernels/common/parallel.h"
#include "tools/command.h"
#include "tools/features/extract.h"
#include "tools/features/picture_list.h"
#include "tools/interrupt.h"
#include "tools/layer_names.h"
#include "tools/model_option.h"
#include "tools/npy_file.h"
#include "tools/picture_sizes.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

namespace fs = std::filesystem;
using model::Json;

constexpr std::size_t largest_batch = 1024;
constexpr double most_power = 1000;

CommandLine command_line() {
    CommandLine line("features",
                     "Computes what layers of a model see in pictures: a tensor for each layer, with the "
                     "pictures along the first\n"
                     "axis. Pictures that cannot be read are left out, counted and named; then the exit code "
                     "is 5.",
                     "[-m MODEL] IMAGE|FOLDER... --layers LIST -o FILE\n\nIMAGE: " + readable_formats() +
                         "; a FOLDER stands for the pictures in it and below it, by path");
    add_model_option(line);
    line.option(
            "o,output", "FILE",
            "the file to write (required): .safetensors, with the pictures' names as JSON in the metadata "
            "`pictures`; or .npy, for one layer, with the names in FILE.json")
        .list_option("layers", "LIST", std::string("the layers, by names (required): ") + layer_names_help)
        .option("pool", "NAME",
                "what becomes of a layer's map: none (it is kept), avg (the mean of each channel), or gem "
                "(the generalized mean of each channel, (mean of x^p)^(1/p), for retrieval)",
                "none")
        .option("gem-power", "P", "the p of --pool gem", "3")
        .option(
            "size", "SIZE",
            "pictures are resized and cropped to this size in pixels, as for classification: 224, or "
            "height x width such as 224x320; or original: each picture as it is; default: the model's own")
        .option("list", "FILE",
                "also the pictures (and folders) in this file, one in each line; -: standard "
                "input")
        .option("batch", "N", "the most pictures per run; results do not depend on it", "8")
        .flag("restart", "forget what an interrupted run has left in OUTPUT.partial; default: continue it");
    add_cpu_options(line);
    add_convolution_option(line);
    add_plan_option(line);
    add_image_options(line);
    line.example("vgg19 features -m vgg19.safetensors photos --layers fc7 -o fc7.npy")
        .example("vgg19 features -m int8.safetensors photos --layers relu5_4,fc7 --pool gem -o f.safetensors")
        .example(
            "vgg19 features -m vgg19.safetensors a.png --layers relu1_1 --size original -o a.safetensors");
    return line;
}

bool is_npy(const fs::path& output) {
    return converter::extension_of(output) == ".npy";
}

/// Where the names of a .npy file's pictures stand.
fs::path names_path(const fs::path& output) {
    return output.string() + ".json";
}

void check_output(const fs::path& output, std::size_t layers) {
    const std::string extension = converter::extension_of(output);
    if (extension != ".npy" && extension != ".safetensors") {
        throw Error(ErrorKind::usage,
                    output.string() + ": expected a name that ends in .safetensors or .npy");
    }
    if (is_npy(output) && layers > 1) {
        throw Error(ErrorKind::usage, output.string() +
                                          ": a .npy file holds one array: expected one layer, "
                                          "found " +
                                          std::to_string(layers) + "; name the output .safetensors");
    }
    check_destination(output);
    if (is_npy(output)) check_destination(names_path(output));
}

std::vector<std::string> layers_option(const CommandLine& line) {
    std::vector<std::string> layers = layer_list(line, "layers");
    if (!layers.empty()) return layers;
    throw Error(ErrorKind::usage, "--layers: expected the names of layers, such as relu5_4,fc7");
}

struct Size {
    MapSize size{};    ///< empty: the model's own
    bool own = false;  ///< each picture's own
};

Size size_option_or_original(const CommandLine& line) {
    const std::string text = line.text("size");
    if (text == "original") return {.own = true};
    if (text.empty()) return {};
    return {.size = feature_size_option(line, "size", "original, or ")};
}

std::vector<PictureFile> pictures_option(const CommandLine& line) {
    std::vector<std::string> arguments;
    const std::string list = line.text("list");
    if (list.empty() || line.has_arguments()) arguments = line.arguments("IMAGE or FOLDER");
    if (!list.empty()) {
        std::ifstream file;
        if (list != "-") file.open(list);
        if (!file) throw Error(ErrorKind::bad_input, list + ": the list cannot be opened");
        const auto more = read_path_list(list == "-" ? std::cin : file, list);
        arguments.insert(arguments.end(), more.begin(), more.end());
    }
    const PictureList found = list_pictures(arguments);
    const std::string left_out = converter::left_out_text(found.left_out);
    if (!left_out.empty()) {
        std::cerr << "vgg19 features: other files in the folders: " << model::printable_lines(left_out)
                  << '\n';
    }
    std::vector<PictureFile> pictures;
    pictures.reserve(found.pictures.size());
    for (const std::string& path : found.pictures) pictures.push_back(PictureFile::of(path));
    return pictures;
}

/// Where an interrupted run leaves its rows.
fs::path rows_path(const fs::path& output) {
    return output.string() + ".partial";
}

/// No file that is written may be one that is read.
void check_inputs(const CommandLine& line, const fs::path& model_path, const fs::path& output,
                  const std::vector<PictureFile>& pictures) {
    std::vector<fs::path> written = {output, rows_path(output)};
    if (is_npy(output)) written.push_back(names_path(output));
    for (const fs::path& path : written) {
        std::error_code ignored;
        if (!fs::exists(path, ignored)) continue;
        model::require_other_file(model_path, path);
        model::require_other_file(line.text("list"), path);
        for (const PictureFile& picture : pictures) model::require_other_file(picture.path, path);
    }
}

ExtractOptions extract_options(const CommandLine& line, const Size& size) {
    ExtractOptions options;
    options.pool = parse_map_pool(line.text("pool"));
    options.power = line.number("gem-power", 1e-3, most_power);
    if (line.given("gem-power") && options.pool != MapPool::generalized_mean) {
        throw Error(ErrorKind::usage, "--gem-power is only for --pool gem");
    }
    options.own_sizes = size.own;
    options.batch = line.whole_number("batch", 1, largest_batch);
    const int threads = threads_option(line);
    options.reading_threads = static_cast<std::size_t>(threads > 0 ? threads : kernels::available_cpus());
    options.image = image_options(line);
    options.should_stop = InterruptGuard::interrupted;
    return options;
}

/// Without a size. With pictures' own sizes the session begins with the model's, which shows at once whether
/// the layers exist.
SessionOptions session_options_of(const CommandLine& line, const std::vector<std::string>& layers) {
    SessionOptions options;
    options.threads = threads_option(line);
    options.isa = line.text("isa");
    options.convolution = line.text("conv");
    options.plan_file = plan_file_option(line);
    options.outputs = layers;
    return options;
}

/// A digest of a model file's header, which holds the checksums of all its tensors. Whether the file is
/// packed does not matter.
std::string header_digest(const model::ModelFile& model) {
    const model::MappedFile& file = model.file().mapping();
    std::uint64_t length = 0;
    const auto field = file.bytes().first(sizeof length);
    const model::MappedFile::Use field_use = file.use(field);
    std::memcpy(&length, field.data(), sizeof length);
    const auto header = file.bytes().subspan(sizeof length, static_cast<std::size_t>(length));
    const model::MappedFile::Use header_use = file.use(header);
    return model::sha256_hex(header);
}

/// All that a picture's features depend on beside the picture.
Json row_settings(const CommandLine& line, const Session& session, const ExtractOptions& options) {
    Json layers = Json::Array{};
    for (const Output& output : session.outputs()) layers.push(output.name);
    Json json;
    json.set("rows of vgg19 features, version", 1);
    json.set("model", header_digest(model::file_of(session.model())));
    json.set("layers", std::move(layers));
    json.set("pool", line.text("pool"));
    if (options.pool == MapPool::generalized_mean) json.set("gem_power", options.power);
    json.set("size", options.own_sizes ? Json("original") : model::size_json(session.input_size()));
    json.set("exif", options.image.apply_exif);
    return json;
}

/// What the metadata says beside the names.
model::Metadata metadata(const CommandLine& line, const Session& session, const ExtractOptions& options) {
    model::Metadata result = {{"model", session.model().variant()},
                              {"model_header_sha256", header_digest(model::file_of(session.model()))},
                              {"pool", line.text("pool")}};
    if (options.pool == MapPool::generalized_mean) {
        result.emplace_back("gem_power", shortest_text(options.power));
    }
    result.emplace_back("size", options.own_sizes ? "original" : to_string(session.input_size()));
    return result;
}

Json names_json(const std::vector<PictureFile>& pictures) {
    Json names = Json::Array{};
    for (const PictureFile& picture : pictures) names.push(picture.path);
    return names;
}

void write_features(const fs::path& output, RowFile& rows, const Session& session,
                    const std::vector<PictureFile>& pictures, model::Metadata metadata) {
    std::vector<model::TensorStream> tensors;
    for (std::size_t i = 0; i < session.outputs().size(); ++i) {
        tensors.push_back(rows.tensor(session.outputs()[i].name, i, pictures));
    }
    const std::string names = names_json(pictures).dump();
    if (is_npy(output)) {
        write_npy(output, tensors.front());
        model::write_text_file(names_path(output), names + '\n');
    } else {
        metadata.emplace_back("pictures", names);
        ProgressBar bar("writing", ProgressUnit::bytes);
        model::write_safetensors(output, metadata, tensors, bar.callback());
    }
    std::cout << output.string() << ": ";
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        std::cout << (i == 0 ? "" : ", ") << tensors[i].name << " (" << joined(tensors[i].shape, ", ") << ')';
    }
    std::cout << '\n';
}

/// Those that an interrupted run has not computed.
std::vector<std::size_t> missing(const std::vector<PictureFile>& pictures, const RowFile& rows) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        if (!rows.contains(pictures[i])) indices.push_back(i);
    }
    return indices;
}

/// Extracts with a progress bar and messages.
Extracted extract_visibly(Session& session, const ExtractOptions& options,
                          const std::vector<PictureFile>& pictures, RowFile& rows) {
    const std::vector<std::size_t> indices = missing(pictures, rows);
    const std::size_t before = pictures.size() - indices.size();
    if (before > 0) {
        std::cerr << "vgg19 features: continuing: " << before << " of " << pictures.size()
                  << " pictures are done\n";
    }
    ProgressBar bar("features", ProgressUnit::items);
    bar.set_done_before(before);
    const InterruptGuard guard("\nvgg19 features: stopping; the same command continues\n");
    const auto report = [&bar](const PictureProblem& problem) {
        bar.clear();
        std::cerr << "vgg19 features: left out: " << model::printable_lines(problem.problem) << '\n';
    };
    const auto progress = [&](std::uint64_t done, std::uint64_t /*total*/) {
        bar.update(before + done, pictures.size());
    };
    return extract(session, options, pictures, indices, rows, report, progress);
}

}  // namespace

int features(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const fs::path model_path = model_option(line);
    const std::vector<std::string> layers = layers_option(line);
    const fs::path output = line.required("output");
    check_output(output, layers.size());
    const Size size = size_option_or_original(line);
    ExtractOptions options = extract_options(line, size);
    const std::vector<PictureFile> pictures = pictures_option(line);
    check_inputs(line, model_path, output, pictures);

    const Model model = model::map_model(model_path);
    SessionOptions running = session_options_of(line, layers);
    if (options.own_sizes) {
        options.image.full_size_pixels = SIZE_MAX;  // none is decoded at reduced size
    } else {
        running.set_input_size(size.size.empty() ? model.preprocessing().input_size : size.size);
        running.batch = std::min(most_in_batch(options, running.input_size()), pictures.size());
        keep_sides_for(running.input_size(), options.image);
    }
    Session session(model, running);
    RowFile rows(rows_path(output), row_settings(line, session, options), line.given("restart"));
    const Extracted extracted = extract_visibly(session, options, pictures, rows);
    if (extracted.stopped) {
        throw Error(ErrorKind::failed, "interrupted after " + std::to_string(rows.size()) + " of " +
                                           std::to_string(pictures.size()) +
                                           " pictures; the same command continues there");
    }
    std::vector<PictureFile> done;
    for (const PictureFile& picture : pictures) {
        if (rows.contains(picture)) done.push_back(picture);
    }
    if (done.empty()) {
        rows.remove();
        throw Error(ErrorKind::bad_input, "none of the " + std::to_string(pictures.size()) +
                                              " pictures has features; nothing is written");
    }
    write_features(output, rows, session, done, metadata(line, session, options));
    rows.remove();
    if (extracted.problems.empty()) return exit_done;
    std::cerr << "vgg19 features: " << extracted.problems.size() << " of " << pictures.size()
              << " pictures left out\n";
    return exit_bad_input;
}

}  // namespace vgg19::tools
