// How a reader of another program's format is handed to import_model().
#pragma once

#include <string_view>

#include "converter/import/torch_state.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// A format that import_model() itself does not read: the readers may need libraries, and are a library of
/// their own (formats/formats.h).
struct ForeignFormat {
    /// Whether it is such a file, by content; throws nothing for other files.
    bool (*recognises)(const model::MappedFile& file);
    /// Throws Error (bad_input), with the file in the message.
    CheckpointContents (*read)(const model::MappedFile& file);
    std::string_view name{};  ///< for messages: "ONNX"
};

}  // namespace vgg19::converter
