// In place of onnx/, in a build without protobuf.
#include "converter/export/onnx_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {

void export_onnx(const model::ModelFile& /*model*/, const std::filesystem::path& output,
                 const OnnxOptions& /*options*/, const model::Progress& /*progress*/) {
    throw Error(ErrorKind::usage,
                output.string() +
                    ": this build writes no ONNX: it was built without protobuf; install "
                    "its development files and compiler, and build with -DVGG19_PROTOBUF=ON");
}

}  // namespace vgg19::converter
