// Python's pickles, as far as a state dict needs them. Nothing is executed: the few callables that are
// allowed are told apart by name, and a call becomes a value that describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/byte_reader.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

enum class PickleKind : unsigned char {
    none,
    boolean,
    integer,
    big_integer,  ///< does not fit 64 bits
    real,
    text,
    bytes,
    tuple,
    list,
    set,
    dict,           ///< an OrderedDict too
    global,         ///< something that is imported by name
    persistent_id,  ///< what stands for a storage; one item, the id
    tensor,         ///< a call of _rebuild_tensor or _rebuild_tensor_v2; the items are its arguments
};

/// "an integer", for messages.
std::string_view describe(PickleKind kind);

/// An importable name that a state dict may use.
struct PickleGlobal {
    enum class Role : unsigned char { ordered_dict, rebuild_tensor, rebuild_parameter, storage };
    std::string_view module;
    std::string_view name;
    Role role;
    /// How many arguments a call takes.
    std::size_t least_arguments;
    std::size_t most_arguments;
    /// Of a storage's elements.
    std::optional<model::DType> dtype;
};

/// nullptr for a name that a state dict has no use for.
const PickleGlobal* find_pickle_global(std::string_view module, std::string_view name);

/// The place of a value in its pickle. Values refer to each other, in circles too.
using PickleReference = std::uint32_t;

struct PickleValue {
    PickleKind kind = PickleKind::none;
    std::size_t offset = 0;                ///< in the file, of the operation that made it
    std::int64_t integer = 0;              ///< boolean, integer
    double real = 0;                       ///< real
    std::string_view text;                 ///< text, bytes: in the file; big_integer: its little-endian bytes
    std::vector<PickleReference> items;    ///< of a dict: key, value, key, value, …
    const PickleGlobal* global = nullptr;  ///< of a global; of a dict that is an OrderedDict, that
};

/// More operations than any state dict needs: they bound the memory and the time that a pickle can take.
inline constexpr std::size_t most_pickle_operations = std::size_t{1} << 20;

class Pickle {
  public:
    /// Reads one pickle of protocol 2 to 5; `reader` then stands behind its STOP. Throws Error (bad_input),
    /// with file and byte offset, for everything that a state dict does not need: other globals, other calls,
    /// attributes set on anything but an OrderedDict (those are dropped), unknown operations; and for what is
    /// cut off, takes from an empty stack, or needs more than most_pickle_operations.
    static Pickle read(ByteReader& reader);

    const PickleValue& root() const { return values_[root_]; }
    const PickleValue& at(PickleReference reference) const { return values_[reference]; }
    const PickleValue& item(const PickleValue& value, std::size_t index) const {
        return values_[value.items[index]];
    }
    std::span<const PickleValue> values() const { return values_; }

    /// The value of a text key in a dict; nullptr where there is none, or where `dict` is something else.
    const PickleValue* find(const PickleValue& dict, std::string_view key) const;

    /// Throws Error (bad_input) about a value: file, byte offset, message.
    [[noreturn]] void fail(const PickleValue& value, const std::string& message) const;

  private:
    Pickle(std::string name, std::vector<PickleValue> values, PickleReference root)
        : name_(std::move(name)), values_(std::move(values)), root_(root) {}

    std::string name_;
    std::vector<PickleValue> values_;
    PickleReference root_;
};

}  // namespace vgg19::converter
