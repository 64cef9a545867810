#include "converter/export/torch_pickle.h"

#include <cstdint>
#include <string_view>

namespace vgg19::converter {
namespace {

/// The operations of Python's pickle protocol 2 that a state dict needs (pickletools describes them). Each
/// function writes what pushes one value.
class Pickle {
  public:
    Pickle& text(std::string_view value) { return raw("X").little_endian(value.size(), 4).raw(value); }
    Pickle& integer(std::uint64_t value) {
        constexpr std::uint64_t most_of_four_bytes = 0x7fffffff;
        if (value <= most_of_four_bytes) return raw("J").little_endian(value, 4);
        return raw("\x8a\x09").little_endian(value, 8).raw(std::string_view("\0", 1));
    }
    Pickle& integers(const std::vector<std::size_t>& values) {
        raw("(");
        for (const std::size_t value : values) integer(value);
        return raw("t");
    }
    Pickle& global(std::string_view module, std::string_view name) {
        return raw("c").raw(module).raw("\n").raw(name).raw("\n");
    }
    Pickle& empty_dict() { return global("collections", "OrderedDict").raw(")R"); }
    Pickle& raw(std::string_view operations) {
        content_ += operations;
        return *this;
    }
    const std::string& content() const { return content_; }

  private:
    Pickle& little_endian(std::uint64_t value, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) content_ += static_cast<char>(value >> (8 * i) & 0xFFU);
        return *this;
    }

    std::string content_;
};

std::vector<std::size_t> strides_of(const std::vector<std::size_t>& shape) {
    std::vector<std::size_t> strides(shape.size(), 1);
    for (std::size_t axis = shape.size(); axis > 1; --axis) {
        strides[axis - 2] = strides[axis - 1] * shape[axis - 1];
    }
    return strides;
}

}  // namespace

std::string state_dict_pickle(std::span<const model::TensorStream> tensors) {
    Pickle pickle;
    pickle.raw("\x80\x02").empty_dict().raw("(");
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const model::TensorStream& tensor = tensors[i];
        pickle.text(tensor.name).global("torch._utils", "_rebuild_tensor_v2").raw("(");
        pickle.raw("(").text("storage").global("torch", "FloatStorage").text(std::to_string(i)).text("cpu");
        pickle.integer(tensor.bytes() / sizeof(float)).raw("tQ");
        pickle.integer(0).integers(tensor.shape).integers(strides_of(tensor.shape));
        pickle.raw("\x89").empty_dict().raw("tR");  // no gradient, no hooks
    }
    return pickle.raw("u.").content();
}

}  // namespace vgg19::converter
