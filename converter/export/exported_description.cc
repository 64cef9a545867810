#include "converter/export/exported_description.h"

#include "converter/export/plain_weights.h"
#include "converter/lineage.h"
#include "engine/model/description.h"

namespace vgg19::converter {

model::Metadata exported_description(const model::ModelFile& model, const std::string& options,
                                     WeightType type) {
    model::Description description = model.description();
    description.lineage.push_back(surgery_name(Surgery::export_model) + (" " + options));
    const bool keeps_a_layer = type == WeightType::as_stored && any_layer_is_int8(model);  // INT4 never
    if (any_layer_is_quantized(model) && !keeps_a_layer) description.variant += "-dequantized";
    return model::metadata_from_description(description);
}

}  // namespace vgg19::converter
