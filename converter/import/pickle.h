// Python's pickles of every protocol, read by structure: nothing is imported, nothing is executed. A name is
// a name, a call is a value that says what would have been called with what.
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
    global,         ///< something that is imported by name
    persistent_id,  ///< what stands for a storage; one item, the id
    object,         ///< what a call gives, whether of a function or of a class
};

/// "an integer", for messages.
std::string_view describe(PickleKind kind);

/// The place of a value in its pickle. Values refer to each other, in circles too.
using PickleReference = std::uint32_t;
inline constexpr PickleReference no_reference = ~PickleReference{0};

/// 24 bytes, for pickles hold millions of them. What belongs to containers, globals and objects is kept by
/// the Pickle.
struct PickleValue {
    std::uint64_t offset : 56 = 0;  ///< in the file, of the operation that made it
    PickleKind kind : 8 = PickleKind::none;
    std::int64_t integer = 0;  ///< boolean, integer; else the Pickle's business
    const char* characters = nullptr;

    double real() const { return std::bit_cast<double>(integer); }
    /// text, bytes: what they hold. big_integer: little-endian bytes, or digits in an old pickle. Empty for
    /// all other kinds.
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

/// What a call gives, and what was done to it after; no_reference for what is not there.
struct PickleObject {
    PickleReference callable = no_reference;   ///< mostly a global
    PickleReference arguments = no_reference;  ///< mostly a tuple
    PickleReference state = no_reference;      ///< mostly a dict of attributes, or a tuple of two of them
    PickleReference pairs = no_reference;      ///< a dict: what was set by key
    PickleReference elements = no_reference;   ///< a list: what was appended or added
};

/// More operations than any checkpoint needs: with at most about 100 bytes for each they bound the memory
/// that a pickle can take. An operation is at least a byte of the file.
inline constexpr std::size_t most_pickle_operations = std::size_t{1} << 24;

/// What a pickle is made of; values refer to the rest by their `integer`.
struct PickleContents {
    std::string file;
    std::deque<PickleValue> values;
    std::vector<std::vector<PickleReference>> items = {{}};  ///< the first one is that of all empty tuples
    std::deque<PickleGlobal> globals;
    std::deque<PickleObject> objects;
    /// The states that were given to other values than objects.
    std::map<PickleReference, PickleReference> attributes;
    std::deque<std::string> texts;  ///< those that are not in the file as they are
    PickleReference root = 0;
};

class Pickle {
  public:
    /// Reads one pickle of protocol 0 to 5; `reader` then stands behind its STOP. Texts stay where they are
    /// in the file. Time and memory are linear in the pickle's bytes. Throws Error (bad_input), with file and
    /// byte offset, for what no pickle has: unknown operations, takings from an empty stack, a cut end; for
    /// buffers outside of the file; and for more than most_pickle_operations.
    static Pickle read(ByteReader& reader);

    const PickleValue& root() const { return at(contents_.root); }
    PickleReference root_reference() const { return contents_.root; }
    const PickleValue& at(PickleReference reference) const { return contents_.values[reference]; }
    std::size_t size() const { return contents_.values.size(); }

    /// Of a tuple, list, set or persistent id; of a dict key, value, key, value, …; else none.
    std::span<const PickleReference> items(const PickleValue& value) const;
    const PickleValue& item(const PickleValue& value, std::size_t index) const {
        return at(items(value)[index]);
    }
    /// nullptr unless the value is of that kind.
    const PickleGlobal* global(const PickleValue& value) const;
    const PickleObject* object(const PickleValue& value) const;
    /// The name of what was called to get the object; nullptr where that is no global, or this is no object.
    const PickleGlobal* callable(const PickleValue& value) const;
    /// The attributes that a value which is no object was given; no_reference where there are none.
    PickleReference attributes(PickleReference reference) const;

    /// The value of a text key in a dict; nullptr where there is none, or where `dict` is something else.
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
