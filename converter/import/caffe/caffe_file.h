// A .caffemodel: its layers, whose weights stay in the file.
#pragma once

#include <string>
#include <vector>

#include "converter/caffe/caffe.pb.h"
#include "converter/import/stored_tensor.h"
#include "converter/import/torch_state.h"
#include "engine/model/mapped_file.h"
#include "vgg19/map_size.h"

namespace vgg19::converter {

struct CaffeLayer {
    caffe::LayerParameter info;         ///< of either version, without blobs
    std::vector<StoredTensor> blobs{};  ///< with the shape (1, 1, 1, n) of old files for a vector
};

struct CaffeNetwork {
    std::vector<CaffeLayer> layers;
    std::vector<std::string> inputs;
    MapSize input_size{};  ///< empty if the file does not say
};

/// Whether it looks like one: a name, then layers.
bool is_caffe_file(const model::MappedFile& file);
/// Decoded blobs go to `contents.owned`. Throws Error (bad_input), with the file in the message.
CaffeNetwork read_caffe_network(const model::MappedFile& file, CheckpointContents& contents);

}  // namespace vgg19::converter
