#include "converter/import/state_dict.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "converter/import/checkpoint_tree.h"
#include "converter/import/torch_state.h"
#include "engine/model/description.h"
#include "engine/model/file_kind.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

enum class Container : unsigned char { torch_zip, torch_stream, pickle, safetensors };

/// "a .pth file of PyTorch or a safetensors file", and the formats.
std::string expected_files(std::span<const ForeignFormat> formats) {
    std::string text = "a .pth file of PyTorch";
    if (formats.empty()) return text + " or a safetensors file";
    text += ", a safetensors file or one of ";
    for (const ForeignFormat& format : formats) {
        if (&format != &formats.front()) text += &format == &formats.back() ? " or " : ", ";
        text += format.name;
    }
    return text;
}

Container find_container(const model::MappedFile& file, std::span<const ForeignFormat> formats) {
    switch (model::kind_of_file(file.bytes())) {
        case model::FileKind::safetensors:
        case model::FileKind::zstandard:  // packed
            return Container::safetensors;
        case model::FileKind::zip:
            return Container::torch_zip;
        case model::FileKind::pickle:
            return is_torch_stream(file.bytes()) ? Container::torch_stream : Container::pickle;
        default:
            throw Error(ErrorKind::bad_input, file.path().string() + ": expected " + expected_files(formats) +
                                                  ", found " + model::describe_file_for_import(file.bytes()));
    }
}

CheckpointContents read_torch(const model::MappedFile& file, Container container) {
    switch (container) {
        case Container::torch_zip:
            return read_torch_zip(file);
        case Container::torch_stream:
            return read_torch_legacy(file);
        default:
            return read_plain_pickle(file);
    }
}

/// Leaves out what checkpoint_tree.h leaves out of pickles: paths of megabytes would take hours to compare.
std::vector<StoredTensor> read_safetensors(const model::SafetensorsFile& file, CheckpointFacts& facts) {
    std::vector<StoredTensor> tensors;
    std::size_t long_names = 0;
    std::size_t beyond = 0;
    for (const model::Tensor& tensor : file.tensors()) {
        if (tensor.name.size() >= longest_path) {
            ++long_names;
            continue;
        }
        if (tensors.size() == most_tensors) {
            ++beyond;
            continue;
        }
        tensors.push_back({.name = tensor.name,
                           .dtype = tensor.dtype,
                           .shape = tensor.shape,
                           .strides = contiguous_strides(tensor.shape),
                           .bytes = tensor.bytes});
    }
    const auto note = [&facts](const std::string& what, std::size_t count) {
        if (count > 0) facts.skipped.push_back(what + ": " + std::to_string(count));
    };
    note("tensors at long paths", long_names);
    note("tensors beyond " + std::to_string(most_tensors), beyond);
    return tensors;
}

CheckpointFacts safetensors_facts(const model::SafetensorsFile& file) {
    std::map<std::string, std::size_t> types;
    for (const auto& other : file.others()) ++types[other.dtype];
    CheckpointFacts facts;
    for (const auto& [type, count] : types) {
        facts.unread_tensors.push_back("tensors of type " + type + ": " + std::to_string(count));
    }
    facts.skipped = facts.unread_tensors;
    return facts;
}

}  // namespace

StateDict StateDict::of_contents(model::MappedFile mapping, CheckpointContents contents) {
    StateDict dict(std::move(mapping));
    dict.tensors_ = std::move(contents.tensors);
    dict.facts_ = std::move(contents.facts);
    dict.owned_ = std::move(contents.owned);
    dict.others_ = std::move(contents.others);
    return dict;
}

StateDict StateDict::open(model::MappedFile mapping, std::span<const ForeignFormat> formats) {
    for (const ForeignFormat& format : formats) {
        if (!format.recognises(mapping)) continue;
        CheckpointContents contents = model::reading(mapping, [&] { return format.read(mapping); });
        return of_contents(std::move(mapping), std::move(contents));
    }
    const Container container = find_container(mapping, formats);
    if (container != Container::safetensors) {
        CheckpointContents contents = read_torch(mapping, container);
        return of_contents(std::move(mapping), std::move(contents));
    }
    model::SafetensorsFile file = model::SafetensorsFile::open_for_import(std::move(mapping));
    CheckpointFacts facts = safetensors_facts(file);
    std::vector<StoredTensor> tensors = read_safetensors(file, facts);
    StateDict dict(std::move(file));
    dict.tensors_ = std::move(tensors);
    dict.facts_ = std::move(facts);
    return dict;
}

const model::MappedFile& StateDict::mapping() const {
    const auto* safetensors = std::get_if<model::SafetensorsFile>(&file_);
    return safetensors != nullptr ? safetensors->mapping() : std::get<model::MappedFile>(file_);
}

bool StateDict::is_of_another_file(const StoredTensor& tensor) const {
    return std::any_of(others_.begin(), others_.end(), [&tensor](const model::MappedFile& other) {
        const std::span<const std::byte> all = other.bytes();
        return tensor.bytes.data() >= all.data() && tensor.bytes.data() < all.data() + all.size();
    });
}

void StateDict::require_unchanged() const {
    mapping().require_unchanged();
    for (const model::MappedFile& other : others_) other.require_unchanged();
}

bool StateDict::is_model() const {
    const auto* safetensors = std::get_if<model::SafetensorsFile>(&file_);
    return safetensors != nullptr && model::is_model(safetensors->metadata());
}

}  // namespace vgg19::converter
