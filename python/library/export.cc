#include <filesystem>

#include "converter/export/onnx_file.h"
#include "converter/export/torch_file.h"
#include "python/library/limits.h"
#include "python/library/pictures_to_use.h"
#include "python/library/surgery.h"

namespace vgg19::python {

void export_onnx(const Model& model, const std::filesystem::path& destination, const ExportOptions& options,
                 const Progress& progress) {
    if (options.batch != 0) {
        require_between("batch", static_cast<double>(options.batch), 1, converter::largest_onnx_batch);
    }
    const WholeModel whole(model);
    check_destination(whole.file(), destination);
    const converter::OnnxOptions onnx = {.input_size = options.size,
                                         .batch = options.batch,
                                         .outputs = options.outputs,
                                         .plain = options.fp32};
    converter::export_onnx(whole.file(), destination, onnx, part(progress, "exporting"));
}

void export_torch(const Model& model, const std::filesystem::path& destination, const Progress& progress) {
    const WholeModel whole(model);
    check_destination(whole.file(), destination);
    converter::export_torch(whole.file(), destination, part(progress, "exporting"));
}

}  // namespace vgg19::python
