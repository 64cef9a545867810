// The containers that PyTorch has for its pickles.
#pragma once

#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/pickle.h"
#include "converter/import/stored_tensor.h"
#include "converter/import/torch_storage.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// What a file holds, as far as it is of use. The tensors' bytes are in the file or in `owned`.
struct CheckpointContents {
    std::vector<StoredTensor> tensors;
    CheckpointFacts facts;
    OwnedBytes owned;
};

/// The older stream format: what was saved, and the storages that it names.
struct TorchStream {
    Pickle state;
    StorageBytes storages;
};
/// Whether the bytes begin with the stream format's magic number, as a pickle of any protocol.
bool is_torch_stream(std::span<const std::byte> file);
/// Throws Error (bad_input).
TorchStream read_torch_stream(ByteReader& reader);

/// The zip format, TorchScript's too; the stream format; a pickle that Python's own module wrote. Throw Error
/// (bad_input).
CheckpointContents read_torch_zip(const model::MappedFile& file);
CheckpointContents read_torch_legacy(const model::MappedFile& file);
CheckpointContents read_plain_pickle(const model::MappedFile& file);

}  // namespace vgg19::converter
