// What the commands convert, export, quantize, prune and eval do, for Python.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vgg19/map_size.h"
#include "vgg19/model.h"

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19::python {

/// Told how far a part of the work ("calibrating") is; not always on the thread of the call. What it throws
/// ends the call, and no file is written.
using Progress = std::function<void(std::string_view work, std::uint64_t done, std::uint64_t total)>;

/// Pictures, and how to run a model on them.
struct PictureOptions {
    std::filesystem::path pictures;  ///< a folder, or CIFAR-10's files (converter/data/data_set.h)
    std::size_t count = 0;           ///< at equal distances from the whole set
    MapSize size{};                  ///< empty: the model's own
    int threads = 0;                 ///< 0: as many as this process has CPUs
    std::string isa{};
    bool exif = true;  ///< whether pictures are turned as their EXIF orientation says
};

/// Strings as the command's options are.
struct ConvertOptions {
    std::string dense_order{};  ///< "input", "output" or ""
    std::string key{};
    std::optional<double> batch_norm_epsilon{};
    std::filesystem::path classes{};
    MapSize size{};
    bool features_only = false;
    std::string pooling{};        ///< "max", "average" or ""
    std::string preprocessing{};  ///< "torchvision", "caffe" or ""
    std::string channels{};       ///< "RGB", "BGR" or ""
    std::optional<double> range{};
    std::optional<std::array<float, 3>> mean{};
    std::optional<std::array<float, 3>> deviation{};
};

struct Conversion {
    bool is_model = false;  ///< the source was a model of this project
    std::string title;      ///< "VGG-19 with batch norm"
    std::string prefix;
    std::size_t tensors = 0;
    std::string dense;
    std::vector<std::pair<std::string, std::size_t>> left;
    std::vector<std::string> skipped;
    std::vector<std::string> notes;
};

Conversion convert(const std::filesystem::path& source, const std::filesystem::path& destination,
                   const ConvertOptions& options, const Progress& progress);

struct ExportOptions {
    MapSize size{};         ///< of the graph's input; empty: the model's
    std::size_t batch = 0;  ///< 0: any number
    std::vector<std::string> outputs{};
    bool fp32 = false;  ///< whether quantised layers are written in FP32
};

void export_onnx(const Model& model, const std::filesystem::path& destination, const ExportOptions& options,
                 const Progress& progress);
void export_torch(const Model& model, const std::filesystem::path& destination, const Progress& progress);

struct QuantizeOptions {
    std::string scope = "dense";  ///< "dense" or "all"
    std::string dense = "int8";
    PictureOptions pictures{};
    std::string range = "mse";
    std::vector<std::string> keep_fp32{};
    std::vector<std::string> no_winograd{};
    bool all_direct = false;
    bool equalization = true;
    bool bias_correction = true;
    bool sensitivity = false;  ///< whether to measure each layer alone
};

struct QuantizedLayer {
    std::string name;
    float input_scale = 0;
    double clipped = 0;
    double direct_error = 0;
    double winograd_error = 0;
    double winograd_f4x4_error = 0;
    bool winograd = false;
};

struct LayerSensitivity {
    std::string layer;
    std::string way;
    std::string kernel;
    double relative_l2 = 0;
    double cosine = 1;
    double same_prediction = 1;
};

struct Quantization {
    std::vector<QuantizedLayer> convolutions;  ///< of scope "all"
    std::vector<LayerSensitivity> sensitivity;
    std::vector<std::string> broken;  ///< pictures that could not be read
    std::size_t pictures = 0;
};

Quantization quantize(const Model& model, const std::filesystem::path& destination,
                      const QuantizeOptions& options, const Progress& progress);

struct PruneOptions {
    double ratio = 0.1;
    std::optional<double> target_macs{};
    std::vector<std::size_t> layers{};
    std::size_t round_to = 1;
    std::string criterion = "l2";
    std::uint64_t seed = 1;
    std::filesystem::path plan{};  ///< a plan's file; instead of the options above
    std::optional<PictureOptions> pictures{};
    bool refit = true;
};

struct PrunedLayer {
    std::string name;
    std::size_t channels = 0;  ///< before
    std::vector<std::size_t> removed;
};

struct RefittedLayer {
    std::string name;
    std::size_t unknowns = 0;
    std::size_t samples = 0;
    double ridge = 0;
    double error = 1;
};

struct Pruning {
    std::vector<PrunedLayer> layers;
    std::vector<RefittedLayer> refitted;
    std::vector<std::string> broken;
    std::size_t pictures = 0;
};

Pruning prune(const Model& model, const std::filesystem::path& destination, const PruneOptions& options,
              const Progress& progress);

struct EvaluateOptions {
    PictureOptions pictures{};
    std::size_t batch = 8;
    std::filesystem::path label_map{};
    std::string class_order{};
};

/// A share of pictures with its 95 % interval.
struct Share {
    std::uint64_t count = 0;
    double low = 0;
    double high = 1;
};

struct Accuracy {
    std::uint64_t pictures = 0;
    Share top1;
    Share top3;
    Share top5;
};

struct ClassAccuracy {
    std::string name;
    std::size_t model_class = 0;
    Accuracy accuracy;
};

struct Confusion {
    std::size_t data_class = 0;
    std::size_t predicted = 0;
    std::uint64_t pictures = 0;
};

struct Comparison {
    Accuracy reference;
    Share same_top1;
    std::uint64_t only_model_right = 0;
    std::uint64_t only_reference_right = 0;
    double mean_cosine = 0;
    double smallest_cosine = 0;
    std::string smallest_cosine_picture;
};

struct Evaluation {
    Accuracy total;
    std::vector<ClassAccuracy> classes;
    std::vector<Confusion> predictions;
    std::optional<Comparison> comparison;
    std::string class_order;  ///< how the data's classes became the model's
    std::vector<std::string> broken;
};

/// `reference`: another model on the same pictures; none.
Evaluation evaluate(const Model& model, const std::optional<Model>& reference, const EvaluateOptions& options,
                    const Progress& progress);

}  // namespace vgg19::python

#pragma GCC visibility pop
