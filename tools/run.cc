// vgg19 run
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"
#include "tools/command.h"
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
constexpr const char* output_name = "logits";
constexpr std::size_t largest_batch = 1024;

std::string describe(const Tensor& tensor) {
    return std::string(model::dtype_name(tensor.dtype)) + " (" + joined(tensor.shape, ", ") + ")";
}

/// The tensor "input": (images, 3, size, size) F32.
const Tensor& input_tensor(const SafetensorsFile& file) {
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
                      shape[1] == model::image_channels && model::is_input_size({shape[2], shape[3]});
    if (!good) {
        throw Error(ErrorKind::bad_input,
                    where + ": tensor '" + input_name + "': expected F32 (N, " +
                        std::to_string(model::image_channels) + ", H, W) with N at least 1, H and W from " +
                        std::to_string(model::smallest_input) + " to " +
                        std::to_string(model::largest_input) + ", found " + describe(*tensor));
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

/// Runs all images in batches; the last batch is padded with zeros.
std::vector<float> run_all(Session& session, const Tensor& input, const std::string& path) {
    const std::size_t images = input.shape[0];
    const std::size_t batch = session.batch();
    const std::size_t classes = session.model().classes();
    const std::span<const float> values = input.as<float>();
    const std::size_t image_floats = values.size() / images;
    std::vector<float> batch_input(batch * image_floats);
    std::vector<float> batch_logits(batch * classes);
    std::vector<float> logits;
    logits.reserve(images * classes);

    ProgressBar bar("running", ProgressUnit::items);
    for (std::size_t first = 0; first < images; first += batch) {
        const std::size_t count = std::min(batch, images - first);
        const auto part = values.subspan(first * image_floats, count * image_floats);
        std::fill(std::copy(part.begin(), part.end(), batch_input.begin()), batch_input.end(), 0.0F);
        try {
            session.run(batch_input, batch_logits);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::bad_input) throw;
            throw Error(ErrorKind::bad_input, path + ": tensor '" + input_name + "', images from " +
                                                  std::to_string(first) + ": " + error.what());
        }
        logits.insert(logits.end(), batch_logits.begin(),
                      batch_logits.begin() + static_cast<std::ptrdiff_t>(count * classes));
        bar.update(first + count, images);
    }
    return logits;
}

void write_logits(const std::filesystem::path& path, std::span<const float> logits, std::size_t classes) {
    Tensor tensor;
    tensor.name = output_name;
    tensor.shape = {logits.size() / classes, classes};
    tensor.bytes = std::as_bytes(logits);
    model::write_safetensors(path, {}, {&tensor, 1});
}

}  // namespace

int run(int argc, char** argv) {
    CommandLine line("run",
                     "Runs a model on prepared inputs: reads the normalised F32 tensor `input` (N, 3, H, W) "
                     "from a safetensors\n"
                     "file, and writes the F32 tensor `logits` (N, classes) to another.",
                     "-m MODEL --input FILE --output FILE");
    add_model_option(line);
    line.option("input", "FILE", "the inputs (required)")
        .option("o,output", "FILE", "the file of logits to write (required)")
        .option("batch", "N", "images per run", "1");
    add_session_options(line);
    line.example("vgg19 run -m vgg19.safetensors --input x.safetensors --output y.safetensors");
    if (!line.parse(argc, argv)) return exit_done;

    line.no_arguments();
    const std::string model_path = line.required("model");
    const std::string input_path = line.required("input");
    const std::filesystem::path output = line.required("output");
    SessionOptions options = session_options(line);
    options.batch = line.whole_number("batch", 1, largest_batch);
    check_destination(output);
    model::require_other_file(input_path, output);
    model::require_other_file(model_path, output);

    const SafetensorsFile file = SafetensorsFile::open(input_path);
    const Tensor& input = input_tensor(file);
    fit_to(options, input, input_path);
    Session session(Model::open(model_path), options);
    const std::size_t classes = session.model().classes();
    write_logits(output, run_all(session, input, input_path), classes);
    std::cout << output.string() << ": " << output_name << " (" << input.shape[0] << ", " << classes << ")\n";
    return exit_done;
}

}  // namespace vgg19::tools
