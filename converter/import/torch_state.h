// Reads the containers in which PyTorch stores pickles.
#pragma once

#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/pickle.h"
#include "converter/import/stored_tensor.h"
#include "converter/import/torch_storage.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// The contents of a file that are of use. The tensors' bytes are in the file, in `others` or in `owned`.
struct CheckpointContents {
    std::vector<StoredTensor> tensors;
    CheckpointFacts facts;
    OwnedBytes owned;
    std::vector<model::MappedFile> others{};  ///< further files to which this one refers
};

/// The older stream format: the saved object, and the storages that it refers to.
struct TorchStream {
    Pickle state;
    StorageBytes storages;
};
/// Whether the bytes begin with the stream format's magic number, pickled in any protocol.
bool is_torch_stream(std::span<const std::byte> file);
/// Throws Error (bad_input).
TorchStream read_torch_stream(ByteReader& reader);

/// The zip format (including TorchScript), the stream format, and a pickle written by Python's own module.
/// They throw Error (bad_input).
CheckpointContents read_torch_zip(const model::MappedFile& file);
CheckpointContents read_torch_legacy(const model::MappedFile& file);
CheckpointContents read_plain_pickle(const model::MappedFile& file);

}  // namespace vgg19::converter
