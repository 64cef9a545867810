// Reads the structure of Python pickles of every protocol. Nothing is imported or executed: a name stays a
// name, and a call becomes a value that records what would be called with which arguments.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/import/byte_reader.h"
#include "converter/import/reference_list.h"

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
    dict,
    global,         ///< an imported name
    persistent_id,  ///< a reference to a storage; its only item is the id
    object,         ///< the result of a call of a function or class
};

/// "an integer", for messages.
std::string_view describe(PickleKind kind);

/// A value's index in its pickle. Values may refer to each other in cycles.
using PickleReference = std::uint32_t;
inline constexpr PickleReference no_reference = ~PickleReference{0};

/// Only 24 bytes, since pickles hold millions of them. The Pickle stores the contents of containers, globals
/// and objects.
struct PickleValue {
    std::uint64_t offset : 56 = 0;  ///< of the operation that made it, in the file
    PickleKind kind : 8 = PickleKind::none;
    std::int64_t integer =
        0;  ///< the value of a boolean or integer; for other kinds an index that only Pickle uses
    const char* characters = nullptr;

    double real() const { return std::bit_cast<double>(integer); }
    /// The content of text and bytes; of a big_integer its little-endian bytes, or digits in an old pickle.
    /// Empty for all other kinds.
    std::string_view text() const {
        if (characters == nullptr) return {};
        return {characters, static_cast<std::size_t>(integer)};
    }
};

struct PickleGlobal {
    std::string_view module;
    std::string_view name;

    bool is(std::string_view its_module, std::string_view its_name) const {
        return module == its_module && name == its_name;
    }
};

/// The result of a call, and what was done to it afterwards; no_reference for missing parts.
struct PickleObject {
    PickleReference callable = no_reference;   ///< usually a global
    PickleReference arguments = no_reference;  ///< usually a tuple
    PickleReference state = no_reference;      ///< usually a dict of attributes, or a tuple of two of them
    PickleReference pairs = no_reference;      ///< a dict: items that were set by key
    PickleReference elements = no_reference;   ///< a list: items that were appended or added
};

/// More operations than any checkpoint needs. Each takes at least one byte of the file.
inline constexpr std::size_t most_pickle_operations = std::size_t{1} << 24;
/// Bytes of memory, at most, that Pickle::read takes for each byte of the pickle.
inline constexpr std::size_t pickle_memory_factor = 64;

/// The contents of a pickle; a value's `integer` is an index into the other lists.
struct PickleContents {
    std::string file;
    std::deque<PickleValue> values;
    std::size_t bytes = 0;                                           ///< of the pickle
    std::deque<ReferenceList> items = std::deque<ReferenceList>(1);  ///< the first is of all empty tuples
    std::deque<PickleGlobal> globals;
    std::deque<PickleObject> objects;
    /// The states that were set on values other than objects.
    std::map<PickleReference, PickleReference> attributes;
    std::deque<std::string> texts;  ///< texts that had to be decoded
    PickleReference root = 0;
};

class Pickle {
  public:
    /// Reads one pickle of protocol 0 to 5; afterwards `reader` is positioned after its STOP. Texts are views
    /// into the file. Takes time linear in the pickle's bytes, and pickle_memory_factor times
    /// as much memory. Throws Error (bad_input), with file
    /// and byte offset, for malformed pickles (unknown operations, an empty stack, a truncated end), for
    /// buffers outside the file, and for more than most_pickle_operations.
    static Pickle read(ByteReader& reader);

    const PickleValue& root() const { return at(contents_.root); }
    PickleReference root_reference() const { return contents_.root; }
    const PickleValue& at(PickleReference reference) const { return contents_.values[reference]; }
    std::size_t size() const { return contents_.values.size(); }
    /// The pickle's length in the file.
    std::size_t bytes() const { return contents_.bytes; }

    /// The items of a tuple, list, set or persistent id; for a dict key, value, key, value, …; else empty.
    std::span<const PickleReference> items(const PickleValue& value) const;
    const PickleValue& item(const PickleValue& value, std::size_t index) const {
        return at(items(value)[index]);
    }
    /// nullptr unless the value is a global.
    const PickleGlobal* global(const PickleValue& value) const;
    const PickleObject* object(const PickleValue& value) const;
    /// The name of the function or class whose call created the object; nullptr if that is no global, or the
    /// value is no object.
    const PickleGlobal* callable(const PickleValue& value) const;
    /// The attributes set on a value that is not an object; no_reference if there are none.
    PickleReference attributes(PickleReference reference) const;

    /// The value of a text key in a dict; nullptr if there is none, or if `dict` is not a dict.
    const PickleValue* find(const PickleValue& dict, std::string_view key) const;

    /// What a value is, for messages: "an integer", "an argparse.Namespace".
    std::string describe_value(const PickleValue& value) const;
    const std::string& file() const { return contents_.file; }
    /// Throws Error (bad_input) about a value: file, byte offset, message.
    [[noreturn]] void fail(const PickleValue& value, const std::string& message) const;

  private:
    explicit Pickle(PickleContents contents) : contents_(std::move(contents)) {}

    PickleContents contents_;
};

}  // namespace vgg19::converter
