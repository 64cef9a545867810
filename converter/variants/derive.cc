#include "converter/variants/derive.h"

#include "converter/lineage.h"
#include "converter/prune/prune.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/equalize.h"
#include "converter/quantize/quantize.h"
#include "converter/variants/bundled_picture.h"
#include "converter/variants/picture_crops.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// `vgg19 quantize --scope all`.
void quantize_full(const model::ModelFile& source, const std::filesystem::path& output,
                   const model::Progress& progress) {
    const PictureCrops crops(bundled_picture());
    CalibrationImages images = {
        .data = &crops, .items = spread_items(crops.size(), crops.size()), .session = {}};
    images.session.set_input_size(source.description().preprocessing.input_size);
    const EqualizedModel equalized(source, measure_channels(source, images));
    FullOptions options;
    options.convolutions.threads = kernels::available_cpus();
    const FullQuantization quantization =
        quantize_all(equalized.file(), calibrate(equalized.file(), images), options);
    write_full(
        equalized.file(), quantization,
        surgery_name(Surgery::quantize) + std::string(" --scope all --calib crops of the bench's picture"),
        output, progress);
}

}  // namespace

void derive(const Recipe& recipe, const model::ModelFile& source, const std::filesystem::path& output,
            const model::Progress& progress, const FactorizeOptions& ranks) {
    switch (recipe.derivation) {
        case Derivation::imported:
        case Derivation::other_size:
            break;
        case Derivation::pruned:
            return prune_model(source, plan_pruning(source, {}), output, progress);
        case Derivation::int8_dense:
            return quantize_dense(source, output, progress);
        case Derivation::int8_full:
            return quantize_full(source, output, progress);
        case Derivation::factored:
            factorize_model(source, ranks, output, progress);
            return;
    }
    throw Error(ErrorKind::usage, std::string(recipe.id) + ": expected a variant that is made from another");
}

}  // namespace vgg19::converter
