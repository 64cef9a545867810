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
    Operation{'N', "NONE", [](Machine& m) { m.push(Kind::none); }},
    Operation{0x88, "NEWTRUE", [](Machine& m) { m.push(Kind::boolean).integer = 1; }},
    Operation{0x89, "NEWFALSE", [](Machine& m) { m.push(Kind::boolean); }},

    Operation{'J', "BININT", [](Machine& m) { m.push_integer(m.read<std::int32_t>()); }},
    Operation{'K', "BININT1", [](Machine& m) { m.push_integer(m.read<std::uint8_t>()); }},
    Operation{'M', "BININT2", [](Machine& m) { m.push_integer(m.read<std::uint16_t>()); }},
    Operation{0x8a, "LONG1", [](Machine& m) { m.push_long(m.read_length<std::uint8_t>()); }},
    Operation{0x8b, "LONG4", [](Machine& m) { m.push_long(m.read_length<std::int32_t>()); }},
    Operation{'G', "BINFLOAT", [](Machine& m) { m.push_real(); }},

    Operation{0x8c, "SHORT_BINUNICODE",
              [](Machine& m) { m.push_text(Kind::text, m.read_length<std::uint8_t>()); }},
    Operation{'X', "BINUNICODE", [](Machine& m) { m.push_text(Kind::text, m.read_length<std::uint32_t>()); }},
    Operation{0x8d, "BINUNICODE8",
              [](Machine& m) { m.push_text(Kind::text, m.read_length<std::uint64_t>()); }},
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

    Operation{')', "EMPTY_TUPLE", [](Machine& m) { m.push(Kind::tuple); }},
    Operation{0x85, "TUPLE1", [](Machine& m) { m.push_items(Kind::tuple, m.pop_count(1)); }},
    Operation{0x86, "TUPLE2", [](Machine& m) { m.push_items(Kind::tuple, m.pop_count(2)); }},
    Operation{0x87, "TUPLE3", [](Machine& m) { m.push_items(Kind::tuple, m.pop_count(3)); }},
    Operation{'t', "TUPLE", [](Machine& m) { m.push_items(Kind::tuple, m.pop_to_mark()); }},
    Operation{']', "EMPTY_LIST", [](Machine& m) { m.push(Kind::list); }},
    Operation{'a', "APPEND", [](Machine& m) { m.append(Kind::list, m.pop_count(1)); }},
    Operation{'e', "APPENDS", [](Machine& m) { m.append(Kind::list, m.pop_to_mark()); }},
    Operation{0x8f, "EMPTY_SET", [](Machine& m) { m.push(Kind::set); }},
    Operation{0x90, "ADDITEMS", [](Machine& m) { m.append(Kind::set, m.pop_to_mark()); }},
    Operation{0x91, "FROZENSET", [](Machine& m) { m.push_items(Kind::set, m.pop_to_mark()); }},
    Operation{'}', "EMPTY_DICT", [](Machine& m) { m.push(Kind::dict); }},
    Operation{'s', "SETITEM", [](Machine& m) { m.append_pairs(m.pop_count(2)); }},
    Operation{'u', "SETITEMS", [](Machine& m) { m.append_pairs(m.pop_to_mark()); }},

    Operation{'(', "MARK", [](Machine& m) { m.mark(); }},
    Operation{'0', "POP", [](Machine& m) { m.pop(); }},
    Operation{'1', "POP_MARK", [](Machine& m) { m.pop_to_mark(); }},
    Operation{'q', "BINPUT", [](Machine& m) { m.put(m.read<std::uint8_t>()); }},
    Operation{'r', "LONG_BINPUT", [](Machine& m) { m.put(m.read<std::uint32_t>()); }},
    Operation{0x94, "MEMOIZE", [](Machine& m) { m.put_next(); }},
    Operation{'h', "BINGET", [](Machine& m) { m.get(m.read<std::uint8_t>()); }},
    Operation{'j', "LONG_BINGET", [](Machine& m) { m.get(m.read<std::uint32_t>()); }},
    Operation{0x95, "FRAME", [](Machine& m) { m.skip_frame_header(); }},

    Operation{'c', "GLOBAL", [](Machine& m) { m.push_global_from_lines(); }},
    Operation{0x93, "STACK_GLOBAL", [](Machine& m) { m.push_global_from_stack(); }},
    Operation{'Q', "BINPERSID", [](Machine& m) { m.push_items(Kind::persistent_id, m.pop_count(1)); }},
    Operation{'R', "REDUCE", [](Machine& m) { m.call(); }},
    Operation{'b', "BUILD", [](Machine& m) { m.set_attributes(); }},
};
constexpr unsigned char stop_code = '.';

/// All operations up to STOP; gives the result.
PickleReference run(Machine& machine) {
    machine.read_protocol();
    for (std::uint8_t code = machine.next_operation(); code != stop_code; code = machine.next_operation()) {
        const auto* const operation =
            std::find_if(operations.begin(), operations.end(),
                         [code](const Operation& known) { return known.code == code; });
        if (operation == operations.end()) {
            machine.fail("expected one that a state dict needs, found byte " + std::to_string(code));
        }
        machine.set_operation_name(operation->name);
        operation->run(machine);
    }
    machine.set_operation_name("STOP");
    return machine.result();
}

}  // namespace

Pickle Pickle::read(ByteReader& reader) {
    PickleMachine machine(reader);
    const PickleReference root = run(machine);
    return {reader.name(), machine.take_values(), root};
}

const PickleValue* Pickle::find(const PickleValue& dict, std::string_view key) const {
    if (dict.kind != PickleKind::dict) return nullptr;
    for (std::size_t i = 0; i < dict.items.size(); i += 2) {
        const PickleValue& name = item(dict, i);
        if (name.kind == PickleKind::text && name.text == key) return &item(dict, i + 1);
    }
    return nullptr;
}

void Pickle::fail(const PickleValue& value, const std::string& message) const {
    fail_at(name_, value.offset, message);
}

}  // namespace vgg19::converter
