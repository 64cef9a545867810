// PyTorch's zip format: NAME/data.pkl, and one file per storage, NAME/data/KEY. Storages are not compressed,
// so that they can be read in place. TorchScript uses the same format with additional files.
#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>

#include "converter/import/checkpoint_tree.h"
#include "converter/import/exported.h"
#include "converter/import/script_code.h"
#include "converter/import/torch_state.h"
#include "converter/import/zip_archive.h"
#include "engine/model/file_kind.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

constexpr std::string_view pickle_name = "data.pkl";
/// Longer than the code of any network. Files of an archive may lie on each other, so that their sum counts.
constexpr std::size_t longest_code = std::size_t{16} << 20U;
/// As long as the class names of the largest network, in JSON in JSON.
constexpr std::size_t longest_description = std::size_t{16} << 20U;
/// Longer than the name of any archive; it precedes each storage's.
constexpr std::size_t longest_prefix = 1000;

using model::as_text;

[[noreturn]] void fail(const ZipArchive& archive, const std::string& message) {
    throw Error(ErrorKind::bad_input, archive.name() + ": " + message);
}

/// Recognises a zip file without data.pkl by the files in it, in any folder.
struct OtherZip {
    std::string_view file;
    std::string_view other_file;  ///< must exist too
    std::string_view what;
};
constexpr std::array other_zips = {
    OtherZip{"model.json", "attributes.pkl",
             "TorchScript of PyTorch 1.3 or older; load it with torch.jit.load and save its state_dict()"},
    OtherZip{"archive_format", "",
             "a program of torch.export (.pt2); load it with torch.export.load and save its state_dict"},
    OtherZip{"serialized_exported_program.json", "",
             "a program of torch.export (.pt2); load it with torch.export.load and save its state_dict"},
    OtherZip{"model.json", "",
             "TorchScript's oldest format; load it with torch.jit.load and save its state_dict()"},
    OtherZip{"extern_modules", "",
             "a package of torch.package; load the model with PackageImporter and save its state_dict()"},
    OtherZip{
        ".npy", "",
        "arrays of NumPy (.npz); load them with numpy.load and save them with torch.save or as safetensors"},
    OtherZip{".pth", "", "an archive with a .pth file in it; unpack it first"},
    OtherZip{".pt", "", "an archive with a .pt file in it; unpack it first"},
    OtherZip{".ckpt", "", "an archive with a .ckpt file in it; unpack it first"},
    OtherZip{".safetensors", "", "an archive with a .safetensors file in it; unpack it first"},
    OtherZip{"pytorch_model.bin", "", "an archive with pytorch_model.bin in it; unpack it first"},
    OtherZip{"model.weights.h5", "", "a model of Keras in a folder of an archive; unpack it first"},
};

/// `name` in any folder; a name that begins with a dot matches as an extension.
bool has_file(const ZipArchive& archive, std::string_view name) {
    return std::any_of(archive.entries().begin(), archive.entries().end(), [name](const auto& entry) {
        const std::string_view path = entry.first;
        if (!path.ends_with(name)) return false;
        return path.size() == name.size() || name[0] == '.' || path[path.size() - name.size() - 1] == '/';
    });
}

[[noreturn]] void refuse_other_zip(const ZipArchive& archive) {
    if (archive.contains("model.weights.h5")) {  // Keras's reader takes it where there is one
        fail(archive, "expected a .pth file of PyTorch or a safetensors file, found a model of Keras; " +
                          std::string(model::needs_hdf5));
    }
    const std::string expected = "expected a data.pkl in the zip file, as PyTorch writes it, found ";
    for (const OtherZip& other : other_zips) {
        const bool both = other.other_file.empty() || has_file(archive, other.other_file);
        if (both && has_file(archive, other.file)) fail(archive, expected + std::string(other.what));
    }
    fail(archive, expected + "none among its " + std::to_string(archive.entries().size()) +
                      " files; is this a model that PyTorch saved?");
}

/// The "NAME/" of NAME/data.pkl; if there are several, the least deep.
std::string archive_prefix(const ZipArchive& archive) {
    const auto depth = [](std::string_view name) { return std::count(name.begin(), name.end(), '/'); };
    std::vector<std::string_view> found;
    for (const auto& [name, entry] : archive.entries()) {
        if (name == pickle_name || name.ends_with("/data.pkl")) found.push_back(name);
    }
    if (found.empty()) refuse_other_zip(archive);
    std::stable_sort(found.begin(), found.end(),
                     [&depth](std::string_view a, std::string_view b) { return depth(a) < depth(b); });
    if (found.size() > 1 && depth(found[0]) == depth(found[1])) {
        fail(archive, "expected one data.pkl in the zip file, found " + printable(found[0]) + " and " +
                          printable(found[1]));
    }
    const std::string_view prefix = found[0].substr(0, found[0].size() - pickle_name.size());
    if (prefix.size() > longest_prefix) {
        fail(archive, "expected data.pkl in a folder with a name of at most " +
                          std::to_string(longest_prefix) + " bytes, found it in " + printable(prefix));
    }
    return std::string(prefix);
}

void check_byte_order(ZipArchive& archive, const std::string& prefix) {
    if (!archive.contains(prefix + "byteorder")) return;  // PyTorch before 2.1
    const std::string_view order = as_text(archive.contents(prefix + "byteorder"));
    if (order != "little") {
        fail(archive, printable(prefix) + "byteorder: expected little, found " + printable(order));
    }
}

/// The bytes of the storages that the pickle refers to, as far as the archive has them.
StorageBytes find_storages(ZipArchive& archive, const std::string& prefix, const Pickle& pickle) {
    StorageBytes storages;
    for (const auto& [key, storage] : torch_storages(pickle)) {
        const std::string file = prefix + "data/" + std::string(key);
        if (!archive.contains(file)) continue;
        const std::span<const std::byte> bytes = archive.contents(file);
        if (bytes.size() != storage.bytes()) {
            fail(archive, printable(file) + ": expected " + std::to_string(storage.bytes()) +
                              " bytes, found " + std::to_string(bytes.size()));
        }
        storages.emplace(key, bytes);
    }
    return storages;
}

/// A ReLU behind everything else, which only the code of the network's own forward() tells.
void find_last_relu(ZipArchive& archive, const std::string& folder, const PickleGlobal& network,
                    CheckpointFacts& facts) {
    using namespace std::string_view_literals;
    constexpr std::array functions = {"torch.relu"sv, "torch.relu_"sv,
                                      "__torch__.torch.nn.functional.relu"sv};
    constexpr std::string_view own = "self.";
    std::string file(network.module);
    std::replace(file.begin(), file.end(), '.', '/');
    file = folder + file + ".py";
    if (!archive.contains(file) || archive.entries().at(file).size > longest_code) return;
    const std::string called = last_called(as_text(archive.contents(file)), network.name);
    const bool is_function = std::find(functions.begin(), functions.end(), called) != functions.end();
    const bool is_module = std::any_of(facts.modules.begin(), facts.modules.end(), [&](const auto& module) {
        return module.type == "ReLU" && called == std::string(own).append(module.path);
    });
    if (is_function || is_module) facts.last_relu = called;
}

/// TorchScript stores module settings in the code of their methods. If that cannot be read, the weights are
/// still valid.
void read_code(ZipArchive& archive, const std::string& prefix, const Pickle& pickle, CheckpointFacts& facts) {
    const std::string folder = prefix + "code/";
    std::size_t unread = 0;
    std::size_t read = 0;
    const PickleGlobal* const network = pickle.callable(pickle.root());
    try {
        if (network != nullptr) find_last_relu(archive, folder, *network, facts);
    } catch (const Error&) {  // counted below
    }
    for (const auto& [name, entry] : archive.entries()) {
        if (!name.starts_with(folder) || !name.ends_with(".py")) continue;
        try {
            if (entry.size > longest_code - read) throw Error(ErrorKind::bad_input, "too long");
            read += entry.size;
            for (const double epsilon : batch_norm_epsilons(as_text(archive.contents(name)))) {
                facts.batch_norm_epsilons.push_back({std::string(name.substr(prefix.size())), epsilon});
            }
        } catch (const Error&) {
            ++unread;
        }
    }
    if (unread > 0) {
        facts.skipped.push_back("code: " + std::to_string(unread) +
                                " files that cannot be read; an epsilon of batch norms may be in them");
    }
}

/// Weights are valid without their description.
void read_description(ZipArchive& archive, const std::string& prefix, CheckpointFacts& facts) {
    const std::string name = prefix + exported_file;
    if (!archive.contains(name)) return;
    try {
        const std::span<const std::byte> json = archive.contents(name);
        if (json.size() > longest_description) throw Error(ErrorKind::bad_input, "too long");
        facts.exported = read_exported(as_text(json), exported_file);
    } catch (const Error& error) {
        facts.skipped.push_back("the description that vgg19 exported with the weights: " +
                                std::string(error.what()));
    }
}

/// Offsets in messages refer to the file or, if the entry is compressed, to the pickle.
Pickle read_pickle(std::span<const std::byte> data, const model::MappedFile& file, const ZipArchive& archive,
                   const std::string& prefix) {
    const std::span<const std::byte> all = file.bytes();
    const bool in_file = data.data() >= all.data() && data.data() + data.size() <= all.data() + all.size();
    if (!in_file) {
        ByteReader reader(data, archive.name() + ": " + printable(prefix) + "data.pkl", 0, data.size());
        return Pickle::read(reader);
    }
    const auto begin = static_cast<std::size_t>(data.data() - all.data());
    ByteReader reader(all, archive.name(), begin, begin + data.size());
    return Pickle::read(reader);
}

/// Freezing turns the weights into constants.
void refuse_frozen(const ZipArchive& archive, const std::string& prefix) {
    const std::string folder = prefix + "constants/";
    const auto& entries = archive.entries();
    const auto first = entries.lower_bound(folder);
    if (first == entries.end() || !first->first.starts_with(folder)) return;
    fail(
        archive,
        "expected tensors with names, found a frozen TorchScript, in which they are constants without names; "
        "save the state_dict() of the model before torch.jit.freeze");
}

}  // namespace

CheckpointContents read_torch_zip(const model::MappedFile& file) {
    OwnedBytes unpacked;
    ZipArchive archive(file, unpacked);
    const std::string prefix = archive_prefix(archive);
    check_byte_order(archive, prefix);
    const std::span<const std::byte> data = archive.contents(prefix + std::string(pickle_name));
    const Pickle pickle = read_pickle(data, file, archive, prefix);
    CheckpointContents contents = flatten(pickle, find_storages(archive, prefix, pickle));
    if (contents.tensors.empty()) refuse_frozen(archive, prefix);
    read_code(archive, prefix, pickle, contents.facts);
    read_description(archive, prefix, contents.facts);
    std::move(unpacked.begin(), unpacked.end(), std::back_inserter(contents.owned));
    return contents;
}

}  // namespace vgg19::converter
