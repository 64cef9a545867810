#include "converter/quantize/quantize.h"

#include <optional>
#include <string>
#include <vector>

#include "converter/quantize/equalize.h"
#include "converter/quantize/option_names.h"
#include "converter/quantize/sensitivity.h"
#include "kernels/common/parallel.h"
#include "python/library/limits.h"
#include "python/library/pictures_to_use.h"
#include "python/library/surgery.h"
#include "vgg19/error.h"

namespace vgg19::python {

namespace {

converter::FullOptions full_options(const QuantizeOptions& options) {
    const int threads = options.pictures.threads;
    converter::FullOptions full;
    full.convolutions = {.range = converter::range_named(options.range),
                         .bias_correction = options.bias_correction,
                         .threads = threads > 0 ? threads : kernels::available_cpus()};
    full.dense = converter::dense_type_named(options.dense);
    full.keep_fp32 = options.keep_fp32;
    full.no_winograd = options.no_winograd;
    full.all_direct = options.all_direct;
    return full;
}

std::vector<QuantizedLayer> described(const converter::FullQuantization& quantization) {
    std::vector<QuantizedLayer> layers;
    for (const converter::QuantizedConvolution& layer : quantization.convolutions) {
        layers.push_back({.name = layer.name,
                          .input_scale = layer.input_scale,
                          .clipped = layer.clipped,
                          .direct_error = layer.error.direct,
                          .winograd_error = layer.error.winograd,
                          .winograd_f4x4_error = layer.error.winograd_f4x4,
                          .winograd = layer.winograd.f2x2 || layer.winograd.f4x4});
    }
    return layers;
}

std::vector<LayerSensitivity> sensitivity_of(const model::ModelFile& model,
                                             const converter::FullQuantization& quantization,
                                             const converter::CalibrationImages& images,
                                             const Progress& progress) {
    std::vector<LayerSensitivity> layers;
    for (const converter::Sensitivity& layer :
         converter::measure_sensitivity(model, quantization, images, part(progress, "measuring layers"))) {
        layers.push_back(
            {layer.layer, layer.way, layer.kernel, layer.relative_l2, layer.cosine, layer.same_prediction});
    }
    return layers;
}

Quantization quantize_all(const model::ModelFile& model, const std::filesystem::path& destination,
                          const QuantizeOptions& options, const Progress& progress) {
    const converter::FullOptions full = full_options(options);
    converter::require_fp32(model);
    converter::check_layers(model.network(), full);
    const CalibrationPictures pictures(options.pictures, model, progress);
    std::optional<converter::EqualizedModel> equalized;
    if (options.equalization) {
        equalized.emplace(model, converter::measure_channels(model, pictures.images(),
                                                             part(progress, "measuring channels")));
    }
    const model::ModelFile& source = equalized ? equalized->file() : model;
    const converter::FullQuantization quantization = converter::quantize_all(
        source, converter::calibrate(source, pictures.images(), part(progress, "calibrating")), full,
        part(progress, "quantizing"));
    Quantization result{.convolutions = described(quantization),
                        .sensitivity = {},
                        .broken = problems(pictures.broken()),
                        .pictures = pictures.images().items.size()};
    if (options.sensitivity) {
        result.sensitivity = sensitivity_of(source, quantization, pictures.images(), progress);
    }
    const std::string step = converter::full_step(
        full,
        {.calibration = pictures.text(), .equalized = options.equalization, .exif = options.pictures.exif});
    converter::write_full(source, quantization, step, destination, part(progress, "writing"));
    return result;
}

}  // namespace

Quantization quantize(const Model& model, const std::filesystem::path& destination,
                      const QuantizeOptions& options, const Progress& progress) {
    require_cpu(options.pictures.threads, options.pictures.isa);
    const WholeModel whole(model);
    check_destination(whole.file(), destination);
    if (options.scope == "all") return quantize_all(whole.file(), destination, options, progress);
    if (options.scope != "dense") {
        throw Error(ErrorKind::usage, "scope: expected dense or all, found '" + options.scope + "'");
    }
    converter::quantize_dense(whole.file(), destination, converter::dense_type_named(options.dense),
                              part(progress, "quantizing"));
    return {};
}

}  // namespace vgg19::python
