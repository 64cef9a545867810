#include "converter/import/pickle.h"

#include <algorithm>
#include <array>

#include "converter/import/pickle_machine.h"

namespace vgg19::converter {
namespace {

using Kind = PickleKind;
using Machine = PickleMachine;

/// One operation of the pickle format, under the name that Python's pickletools gives it.
struct Operation {
    unsigned char code;
    std::string_view name;
    void (*run)(Machine& machine);
};

constexpr std::array operations = {
    Operation{0x80, "PROTO", [](Machine& m) { m.check_protocol(); }},
    Operation{'N', "NONE", [](Machine& m) { m.push(Kind::none); }},
    Operation{0x88, "NEWTRUE", [](Machine& m) { m.push_boolean(true); }},
    Operation{0x89, "NEWFALSE", [](Machine& m) { m.push_boolean(false); }},

    Operation{'I', "INT", [](Machine& m) { m.push_integer_line(); }},
    Operation{'J', "BININT", [](Machine& m) { m.push_integer(m.read<std::int32_t>()); }},
    Operation{'K', "BININT1", [](Machine& m) { m.push_integer(m.read<std::uint8_t>()); }},
    Operation{'M', "BININT2", [](Machine& m) { m.push_integer(m.read<std::uint16_t>()); }},
    Operation{'L', "LONG", [](Machine& m) { m.push_long_line(); }},
    Operation{0x8a, "LONG1", [](Machine& m) { m.push_long(m.read_length<std::uint8_t>()); }},
    Operation{0x8b, "LONG4", [](Machine& m) { m.push_long(m.read_length<std::int32_t>()); }},
    Operation{'F', "FLOAT", [](Machine& m) { m.push_real_line(); }},
    Operation{'G', "BINFLOAT", [](Machine& m) { m.push_real(); }},

    Operation{'V', "UNICODE", [](Machine& m) { m.push_unicode_line(); }},
    Operation{0x8c, "SHORT_BINUNICODE",
              [](Machine& m) { m.push_text(Kind::text, m.read_length<std::uint8_t>()); }},
    Operation{'X', "BINUNICODE", [](Machine& m) { m.push_text(Kind::text, m.read_length<std::uint32_t>()); }},
    Operation{0x8d, "BINUNICODE8",
              [](Machine& m) { m.push_text(Kind::text, m.read_length<std::uint64_t>()); }},
    Operation{'S', "STRING", [](Machine& m) { m.push_string_line(); }},
    Operation{'U', "SHORT_BINSTRING",
              [](Machine& m) { m.push_text(Kind::text, m.read_length<std::uint8_t>()); }},
    Operation{'T', "BINSTRING", [](Machine& m) { m.push_text(Kind::text, m.read_length<std::int32_t>()); }},
    Operation{'C', "SHORT_BINBYTES",
              [](Machine& m) { m.push_text(Kind::bytes, m.read_length<std::uint8_t>()); }},
    Operation{'B', "BINBYTES", [](Machine& m) { m.push_text(Kind::bytes, m.read_length<std::uint32_t>()); }},
    Operation{0x8e, "BINBYTES8",
              [](Machine& m) { m.push_text(Kind::bytes, m.read_length<std::uint64_t>()); }},
    Operation{0x96, "BYTEARRAY8",
              [](Machine& m) { m.push_text(Kind::bytes, m.read_length<std::uint64_t>()); }},
    Operation{0x97, "NEXT_BUFFER",
              [](Machine& m) { m.fail("expected all data in the file, found a buffer that is elsewhere"); }},
    Operation{0x98, "READONLY_BUFFER",
              [](Machine& m) { m.fail("expected all data in the file, found a buffer that is elsewhere"); }},

    Operation{')', "EMPTY_TUPLE", [](Machine& m) { m.push_items(Kind::tuple, {}); }},
    Operation{0x85, "TUPLE1", [](Machine& m) { m.push_items(Kind::tuple, m.pop_count(1)); }},
    Operation{0x86, "TUPLE2", [](Machine& m) { m.push_items(Kind::tuple, m.pop_count(2)); }},
    Operation{0x87, "TUPLE3", [](Machine& m) { m.push_items(Kind::tuple, m.pop_count(3)); }},
    Operation{'t', "TUPLE", [](Machine& m) { m.push_items(Kind::tuple, m.pop_to_mark()); }},
    Operation{']', "EMPTY_LIST", [](Machine& m) { m.push_items(Kind::list, {}); }},
    Operation{'l', "LIST", [](Machine& m) { m.push_items(Kind::list, m.pop_to_mark()); }},
    Operation{'a', "APPEND", [](Machine& m) { m.append(Kind::list, m.pop_count(1)); }},
    Operation{'e', "APPENDS", [](Machine& m) { m.append(Kind::list, m.pop_to_mark()); }},
    Operation{0x8f, "EMPTY_SET", [](Machine& m) { m.push_items(Kind::set, {}); }},
    Operation{0x90, "ADDITEMS", [](Machine& m) { m.append(Kind::set, m.pop_to_mark()); }},
    Operation{0x91, "FROZENSET", [](Machine& m) { m.push_items(Kind::set, m.pop_to_mark()); }},
    Operation{'}', "EMPTY_DICT", [](Machine& m) { m.push_items(Kind::dict, {}); }},
    Operation{'d', "DICT", [](Machine& m) { m.push_pairs(); }},
    Operation{'s', "SETITEM", [](Machine& m) { m.append_pairs(m.pop_count(2)); }},
    Operation{'u', "SETITEMS", [](Machine& m) { m.append_pairs(m.pop_to_mark()); }},

    Operation{'(', "MARK", [](Machine& m) { m.mark(); }},
    Operation{'0', "POP", [](Machine& m) { m.pop_or_unmark(); }},
    Operation{'1', "POP_MARK", [](Machine& m) { m.pop_to_mark(); }},
    Operation{'2', "DUP", [](Machine& m) { m.duplicate(); }},
    Operation{'p', "PUT", [](Machine& m) { m.put(m.index_line()); }},
    Operation{'q', "BINPUT", [](Machine& m) { m.put(m.read<std::uint8_t>()); }},
    Operation{'r', "LONG_BINPUT", [](Machine& m) { m.put(m.read<std::uint32_t>()); }},
    Operation{0x94, "MEMOIZE", [](Machine& m) { m.put_next(); }},
    Operation{'g', "GET", [](Machine& m) { m.get(m.index_line()); }},
    Operation{'h', "BINGET", [](Machine& m) { m.get(m.read<std::uint8_t>()); }},
    Operation{'j', "LONG_BINGET", [](Machine& m) { m.get(m.read<std::uint32_t>()); }},
    Operation{0x95, "FRAME", [](Machine& m) { m.skip_frame_header(); }},

    Operation{'c', "GLOBAL", [](Machine& m) { m.push_global_from_lines(); }},
    Operation{0x93, "STACK_GLOBAL", [](Machine& m) { m.push_global_from_stack(); }},
    Operation{0x82, "EXT1", [](Machine& m) { m.push_extension(m.read<std::uint8_t>()); }},
    Operation{0x83, "EXT2", [](Machine& m) { m.push_extension(m.read<std::uint16_t>()); }},
    Operation{0x84, "EXT4", [](Machine& m) { m.push_extension(m.read<std::uint32_t>()); }},
    Operation{'P', "PERSID", [](Machine& m) { m.push_persistent_line(); }},
    Operation{'Q', "BINPERSID", [](Machine& m) { m.push_items(Kind::persistent_id, m.pop_count(1)); }},
    Operation{'R', "REDUCE", [](Machine& m) { m.call(); }},
    Operation{0x81, "NEWOBJ", [](Machine& m) { m.call(); }},
    Operation{0x92, "NEWOBJ_EX", [](Machine& m) { m.call_with_names(); }},
    Operation{'i', "INST", [](Machine& m) { m.call_from_lines(); }},
    Operation{'o', "OBJ", [](Machine& m) { m.call_from_mark(); }},
    Operation{'b', "BUILD", [](Machine& m) { m.set_state(); }},
};
constexpr unsigned char stop_code = '.';

/// Maps each code to its index in `operations`; unknown codes map to the number of operations.
constexpr auto operation_of_code = [] {
    std::array<unsigned char, 256> places{};
    places.fill(operations.size());
    for (std::size_t i = 0; i < operations.size(); ++i) {
        places[operations[i].code] = static_cast<unsigned char>(i);
    }
    return places;
}();

std::string hex(unsigned char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    return {'0', 'x', digits[byte / 16], digits[byte % 16]};
}

}  // namespace

Pickle Pickle::read(ByteReader& reader) {
    PickleMachine machine(reader);
    for (std::uint8_t code = machine.next_operation(); code != stop_code; code = machine.next_operation()) {
        const std::size_t place = operation_of_code[code];
        if (place == operations.size()) {
            machine.fail("expected one that pickles have, found byte " + hex(code));
        }
        machine.set_operation_name(operations[place].name);
        operations[place].run(machine);
    }
    machine.set_operation_name("STOP");
    return Pickle(machine.take_contents());
}

std::span<const PickleReference> Pickle::items(const PickleValue& value) const {
    switch (value.kind) {
        case Kind::tuple:
        case Kind::list:
        case Kind::set:
        case Kind::dict:
        case Kind::persistent_id:
            return contents_.items[static_cast<std::size_t>(value.integer)].view();
        default:
            return {};
    }
}

const PickleGlobal* Pickle::global(const PickleValue& value) const {
    if (value.kind != Kind::global) return nullptr;
    return &contents_.globals[static_cast<std::size_t>(value.integer)];
}

const PickleObject* Pickle::object(const PickleValue& value) const {
    if (value.kind != Kind::object) return nullptr;
    return &contents_.objects[static_cast<std::size_t>(value.integer)];
}

const PickleGlobal* Pickle::callable(const PickleValue& value) const {
    const PickleObject* found = object(value);
    if (found == nullptr) return nullptr;
    const PickleValue& called = at(found->callable);
    if (called.kind == Kind::persistent_id) {  // PyTorch's stream format: ('module', class, file, source)
        const PickleValue& id = item(called, 0);
        const bool is_class = items(id).size() == 4 && item(id, 0).text() == "module";
        return is_class ? global(item(id, 1)) : nullptr;
    }
    return global(called);
}

PickleReference Pickle::attributes(PickleReference reference) const {
    const auto found = contents_.attributes.find(reference);
    return found == contents_.attributes.end() ? no_reference : found->second;
}

const PickleValue* Pickle::find(const PickleValue& dict, std::string_view key) const {
    if (dict.kind != Kind::dict) return nullptr;
    const std::span<const PickleReference> pairs = items(dict);
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        const PickleValue& name = at(pairs[i]);
        if (name.kind == Kind::text && name.text() == key) return &at(pairs[i + 1]);
    }
    return nullptr;
}

std::string Pickle::describe_value(const PickleValue& value) const {
    const PickleGlobal* called = callable(value);
    const PickleGlobal* name = called != nullptr ? called : global(value);
    if (name == nullptr) return std::string(describe(value.kind));
    const std::string text = printable(name->module) + "." + printable(name->name);
    if (called == nullptr) return "the name " + text;
    const bool vowel = std::string_view("aeiouAEIOU").find(text[0]) != std::string_view::npos;
    return (vowel ? "an " : "a ") + text;
}

void Pickle::fail(const PickleValue& value, const std::string& message) const {
    fail_at(contents_.file, value.offset, message);
}

std::string_view describe(PickleKind kind) {
    switch (kind) {
        case Kind::none:
            return "None";
        case Kind::boolean:
            return "a boolean";
        case Kind::integer:
            return "an integer";
        case Kind::big_integer:
            return "an integer beyond 64 bits";
        case Kind::real:
            return "a float";
        case Kind::text:
            return "a text";
        case Kind::bytes:
            return "bytes";
        case Kind::tuple:
            return "a tuple";
        case Kind::list:
            return "a list";
        case Kind::set:
            return "a set";
        case Kind::dict:
            return "a dict";
        case Kind::global:
            return "a global";
        case Kind::persistent_id:
            return "a persistent id";
        case Kind::object:
            return "an object";
    }
    return "something else";
}

}  // namespace vgg19::converter
