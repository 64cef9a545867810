#include "converter/import/formats/formats.h"

#include <vector>

#if VGG19_HAS_PROTOBUF
#include "converter/import/caffe/caffe.h"
#include "converter/import/onnx/onnx.h"
#endif
#if VGG19_HAS_HDF5
#include "converter/import/keras/keras.h"
#endif

namespace vgg19::converter {

std::span<const ForeignFormat> foreign_formats() {
    static const std::vector<ForeignFormat> formats = {
#if VGG19_HAS_PROTOBUF
        onnx_format,
        caffe_format,
#endif
#if VGG19_HAS_HDF5
        keras_format,
#endif
    };
    return formats;
}

}  // namespace vgg19::converter
