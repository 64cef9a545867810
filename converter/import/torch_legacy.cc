// PyTorch's older stream format: pickles of a magic number, the protocol's version, system information, the
// saved object, and the storages' keys; then, in the order of the keys, each storage as a count of elements
// (64 bits) and the elements.
#include <string>

#include "converter/import/checkpoint_tree.h"
#include "converter/import/torch_state.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {
namespace {

/// 0x1950a86a20f9469cfc6c in the encoding of protocol 2, and as digits for protocols 0 and 1.
constexpr std::string_view magic_number = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::string_view magic_digits = "119547037146038801333356";
constexpr std::int64_t protocol_version = 1001;

void read_preamble(ByteReader& reader) {
    const Pickle magic = Pickle::read(reader);
    const std::string_view number = magic.root().text();
    if (magic.root().kind != PickleKind::big_integer || (number != magic_number && number != magic_digits)) {
        magic.fail(magic.root(), "expected PyTorch's magic number, found " +
                                     magic.describe_value(magic.root()) + ": this is another pickle");
    }
    const Pickle version = Pickle::read(reader);
    if (version.root().kind != PickleKind::integer || version.root().integer != protocol_version) {
        version.fail(version.root(), "stream format: expected protocol " + std::to_string(protocol_version) +
                                         ", found another");
    }
    const Pickle system = Pickle::read(reader);
    const PickleValue* little_endian = system.find(system.root(), "little_endian");
    if (little_endian == nullptr || little_endian->kind != PickleKind::boolean) {
        system.fail(system.root(), "stream format: expected a dict that says little_endian, found " +
                                       system.describe_value(system.root()));
    }
    if (little_endian->integer == 0) {
        system.fail(*little_endian, "expected a little-endian file, found a big-endian one");
    }
}

/// Finds the storages after the pickles. If one occurs twice, the last counts, as in PyTorch.
StorageBytes read_storages(ByteReader& reader, const std::map<std::string_view, TorchStorage>& named) {
    const Pickle keys = Pickle::read(reader);
    if (keys.root().kind != PickleKind::list) {
        keys.fail(keys.root(), "expected the list of storages, found " + keys.describe_value(keys.root()));
    }
    StorageBytes storages;
    for (const PickleReference reference : keys.items(keys.root())) {
        const PickleValue& key = keys.at(reference);
        const auto storage = named.find(key.text());
        if (key.kind != PickleKind::text || storage == named.end()) {
            keys.fail(key, "list of storages: expected those that the state dict names, found " +
                               keys.describe_value(key) + " " + printable(key.text()));
        }
        const std::size_t offset = reader.offset();
        const auto elements = reader.number<std::uint64_t>("a storage's size");
        if (elements != storage->second.elements) {
            fail_at(reader.name(), offset,
                    "storage " + printable(storage->first) + ": expected " +
                        std::to_string(storage->second.elements) + " elements, found " +
                        std::to_string(elements));
        }
        storages[storage->first] =
            reader.bytes(storage->second.bytes(), "storage " + printable(storage->first));
    }
    return storages;
}

}  // namespace

bool is_torch_stream(std::span<const std::byte> file) {
    const std::string_view text = model::as_text(file);
    const std::string_view start = text.substr(0, 40);
    return start.find(magic_number) != std::string_view::npos ||
           start.find(magic_digits) != std::string_view::npos;
}

TorchStream read_torch_stream(ByteReader& reader) {
    read_preamble(reader);
    Pickle state = Pickle::read(reader);
    StorageBytes storages = read_storages(reader, torch_storages(state));
    return {std::move(state), std::move(storages)};
}

CheckpointContents read_torch_legacy(const model::MappedFile& file) {
    ByteReader reader(file.bytes(), file.path().string(), 0, file.bytes().size());
    const TorchStream stream = read_torch_stream(reader);
    return flatten(stream.state, stream.storages);
}

CheckpointContents read_plain_pickle(const model::MappedFile& file) {
    ByteReader reader(file.bytes(), file.path().string(), 0, file.bytes().size());
    return flatten(Pickle::read(reader), {});
}

}  // namespace vgg19::converter
