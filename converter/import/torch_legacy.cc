// PyTorch's older stream format: pickles of a magic number, the protocol's version, facts about the system,
// the state dict, and the storages' keys; then the storages in the order of their keys, each a count of
// elements (64 bits) and the elements.
#include <string>

#include "converter/import/torch_state.h"

namespace vgg19::converter {
namespace {

/// 0x1950a86a20f9469cfc6c, as a pickle holds it.
constexpr std::string_view magic_number = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t protocol_version = 1001;

void read_preamble(ByteReader& reader) {
    const Pickle magic = Pickle::read(reader);
    if (magic.root().kind != PickleKind::big_integer || magic.root().text != magic_number) {
        magic.fail(magic.root(), "expected PyTorch's magic number, found " +
                                     std::string(describe(magic.root().kind)) + ": this is another pickle");
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
                                       std::string(describe(system.root().kind)));
    }
    if (little_endian->integer == 0) {
        system.fail(*little_endian, "expected a little-endian file, found a big-endian one");
    }
}

/// Finds the storages behind the pickles.
StorageBytes read_storages(ByteReader& reader, const std::map<std::string_view, TorchStorage>& named) {
    const Pickle keys = Pickle::read(reader);
    if (keys.root().kind != PickleKind::list) {
        keys.fail(keys.root(),
                  "expected the list of storages, found " + std::string(describe(keys.root().kind)));
    }
    StorageBytes storages;
    for (const PickleReference reference : keys.root().items) {
        const PickleValue& key = keys.at(reference);
        const auto storage = named.find(key.text);
        if (key.kind != PickleKind::text || storage == named.end() || storages.contains(key.text)) {
            keys.fail(key, "list of storages: expected each that the state dict names, once; found " +
                               std::string(describe(key.kind)) + " " + printable(key.text));
        }
        const std::size_t offset = reader.offset();
        const auto elements = reader.number<std::uint64_t>("a storage's size");
        if (elements != storage->second.elements) {
            fail_at(reader.name(), offset,
                    "storage " + printable(key.text) + ": expected " +
                        std::to_string(storage->second.elements) + " elements, found " +
                        std::to_string(elements));
        }
        storages[key.text] = reader.bytes(storage->second.bytes(), "storage " + printable(key.text));
    }
    return storages;
}

}  // namespace

std::vector<StoredTensor> read_torch_legacy(const model::MappedFile& file) {
    ByteReader reader(file.bytes(), file.path().string(), 0, file.bytes().size());
    read_preamble(reader);
    const Pickle state = Pickle::read(reader);
    const StorageBytes storages = read_storages(reader, torch_storages(state));
    return torch_tensors(state, storages);
}

}  // namespace vgg19::converter
