// vgg19 run
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"
#include "tools/command.h"
#include "tools/layer_names.h"
#include "tools/model_option.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::tools {

namespace {

using model::SafetensorsFile;
using model::Tensor;

constexpr const char* input_name = "input";
constexpr std::size_t largest_batch = 1024;

std::string describe(const Tensor& tensor) {
    return std::string(model::dtype_name(tensor.dtype)) + " (" + joined(tensor.shape, ", ") + ")";
}

/// The tensor "input": (images, 3, height, width) F32.
const Tensor& input_tensor(const SafetensorsFile& file, std::size_t smallest_side) {
    const std::string where = file.mapping().path().string();
    const Tensor* tensor = file.find(input_name);
    if (tensor == nullptr) {
        std::string found;
        for (const Tensor& other : file.tensors()) found += " '" + other.name + "'";
        throw Error(ErrorKind::bad_input, where + ": expected a tensor '" + input_name + "', found" +
                                              (found.empty() ? " none" : found));
    }
    const std::vector<std::size_t>& shape = tensor->shape;
    const bool good = tensor->dtype == model::DType::f32 && shape.size() == 4 && shape[0] > 0 &&
                      shape[1] == model::image_channels &&
                      model::is_input_size({shape[2], shape[3]}, smallest_side);
    if (!good) {
        throw Error(ErrorKind::bad_input,
                    where + ": tensor '" + input_name + "': expected F32 (N, " +
                        std::to_string(model::image_channels) + ", H, W) with N at least 1, H and W from " +
                        std::to_string(smallest_side) + " to " + std::to_string(model::largest_input) +
                        ", found " + describe(*tensor));
    }
    return *tensor;
}

/// Options that were not given are taken from the inputs; others must agree with them.
void fit_to(SessionOptions& options, const Tensor& input, const std::string& path) {
    const MapSize size = {input.shape[2], input.shape[3]};
    if (!options.input_size().empty() && options.input_size() != size) {
        throw Error(ErrorKind::usage, "--size: expected " + to_string(size) + " as in " + path + ", found " +
                                          to_string(options.input_size()));
    }
    options.set_input_size(size);
    options.batch = std::min(options.batch, input.shape[0]);
}

/// One of the results of all images.
struct Result {
    std::string name;
    std::vector<std::size_t> shape;  ///< the images first
    std::vector<float> values;

    std::size_t image_floats() const { return values.size() / shape.front(); }
};

std::vector<Result> empty_results(const Session& session, std::size_t images) {
    std::vector<Result> results;
    for (const Output& output : session.outputs()) {
        Result& result = results.emplace_back();
        result.name = output.name;
        result.shape = output.shape;
        result.shape.front() = images;
        result.values.resize(output.size() / output.shape.front() * images);
    }
    return results;
}

/// The places of `count` images' results, from image `first` on.
std::vector<std::span<float>> places(std::vector<Result>& results, std::size_t first, std::size_t count) {
    std::vector<std::span<float>> spans;
    for (Result& result : results) {
        const std::size_t floats = result.image_floats();
        spans.push_back(std::span(result.values).subspan(first * floats, count * floats));
    }
    return spans;
}

/// Runs all images in batches; the last one may be smaller.
std::vector<Result> run_all(Session& session, const Tensor& input, const std::string& path) {
    const std::size_t images = input.shape[0];
    const std::span<const float> values = input.as<float>();
    const std::size_t image_floats = values.size() / images;
    std::vector<Result> results = empty_results(session, images);

    ProgressBar bar("running", ProgressUnit::items);
    for (std::size_t first = 0; first < images;) {
        const std::size_t count = std::min(session.batch(), images - first);
        if (count < session.batch()) session.reshape(session.input_size(), count);
        try {
            session.run(values.subspan(first * image_floats, count * image_floats),
                        places(results, first, count));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::bad_input) throw;
            throw Error(ErrorKind::bad_input, path + ": tensor '" + input_name + "', images from " +
                                                  std::to_string(first) + ": " + error.what());
        }
        first += count;
        bar.update(first, images);
    }
    return results;
}

void write_results(const std::filesystem::path& path, const std::vector<Result>& results) {
    std::vector<Tensor> tensors;
    tensors.reserve(results.size());
    for (const Result& result : results) {
        tensors.push_back(
            {result.name, model::DType::f32, result.shape, std::as_bytes(std::span(result.values))});
    }
    model::write_safetensors(path, {}, tensors);
    std::cout << path.string() << ": ";
    for (const Result& result : results) {
        std::cout << (&result == &results.front() ? "" : ", ") << result.name << " ("
                  << joined(result.shape, ", ") << ')';
    }
    std::cout << '\n';
}

}  // namespace

int run(int argc, char** argv) {
    CommandLine line(
        "run",
        "Runs a model on prepared inputs: reads the normalised F32 tensor `input` (N, 3, H, W) "
        "from a safetensors\n"
        "file, and writes the F32 tensor `logits` (N, classes) to another, or a tensor of each "
        "output's name:\n"
        "(N, channels, height, width) of maps, (N, values) of the rest. Layers behind the last one "
        "are not run.",
        "[-m MODEL] --input FILE --output FILE");
    add_model_option(line);
    line.option("input", "FILE", "the inputs (required)")
        .option("o,output", "FILE", "the file of results to write (required)")
        .list_option("outputs", "LIST",
                     std::string("what to compute, by names: ") + layer_names_help +
                         "; default: logits, or the last map of a model without a classifier")
        .option("batch", "N", "images per run", "1");
    add_session_options(line);
    line.example("vgg19 run -m vgg19.safetensors --input x.safetensors --output y.safetensors")
        .example(
            "vgg19 run -m vgg19.safetensors --outputs relu1_1,fc7 --input x.safetensors --output "
            "y.safetensors");
    if (!line.parse(argc, argv)) return exit_done;

    line.no_arguments();
    const std::string model_path = model_option(line);
    const std::string input_path = line.required("input");
    const std::filesystem::path output = line.required("output");
    SessionOptions options = session_options(line, model::smallest_features_input);
    options.batch = line.whole_number("batch", 1, largest_batch);
    options.outputs = layer_list(line, "outputs");
    check_destination(output);
    model::require_other_file(input_path, output);
    model::require_other_file(model_path, output);

    const SafetensorsFile file = SafetensorsFile::open(input_path);
    const Model model = model::map_model(model_path);
    // The session knows what its outputs need; logits need five pools.
    const bool gives_logits = options.outputs.empty() && model.classes() > 0;
    const Tensor& input =
        input_tensor(file, gives_logits ? model::smallest_input : model::smallest_features_input);
    fit_to(options, input, input_path);
    Session session(model, options);
    write_results(output, run_all(session, input, input_path));
    return exit_done;
}

}  // namespace vgg19::tools
