#include "converter/import/pickle_machine.h"

#include <bit>

namespace vgg19::converter {

using Kind = PickleKind;
using References = std::vector<PickleReference>;
using Role = PickleGlobal::Role;

void PickleMachine::read_protocol() {
    constexpr std::uint8_t protocol_code = 0x80;
    operation_offset_ = reader_.offset();
    const auto first = read<std::uint8_t>();
    if (first != protocol_code) fail("expected byte 128, found " + std::to_string(first));
    const auto protocol = read<std::uint8_t>();
    if (protocol < 2 || protocol > 5) fail("expected protocol 2 to 5, found " + std::to_string(protocol));
}

std::uint8_t PickleMachine::next_operation() {
    operation_offset_ = reader_.offset();
    operation_name_ = "operation";
    if (++operations_ > most_pickle_operations) {
        fail("expected at most " + std::to_string(most_pickle_operations) + " of them, found more");
    }
    return read<std::uint8_t>();
}

PickleReference PickleMachine::result() const {
    if (stack_.size() != 1 || !marks_.empty()) {
        fail("expected one value on the stack and no mark, found " + std::to_string(stack_.size()) + " and " +
             std::to_string(marks_.size()));
    }
    return stack_.back();
}

PickleValue& PickleMachine::push(Kind kind) {
    stack_.push_back(static_cast<PickleReference>(values_.size()));
    PickleValue& value = values_.emplace_back();
    value.kind = kind;
    value.offset = operation_offset_;
    return value;
}

/// The text stays in the file.
void PickleMachine::push_text(Kind kind, std::uint64_t length) {
    const std::string_view text = reader_.text(length, operation_name_);
    push(kind).text = text;
}

/// Little endian, two's complement, as few bytes as do.
void PickleMachine::push_long(std::uint64_t length) {
    const std::string_view digits = reader_.text(length, operation_name_);
    if (digits.size() > sizeof(std::int64_t)) {
        push(Kind::big_integer).text = digits;
        return;
    }
    const bool negative = !digits.empty() && static_cast<signed char>(digits.back()) < 0;
    std::uint64_t bits = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;) bits = bits << 8U | static_cast<unsigned char>(digits[i]);
    push_integer(static_cast<std::int64_t>(bits));
}

/// The one number in a pickle that is big endian.
void PickleMachine::push_real() {
    std::uint64_t bits = 0;
    for (const std::byte byte : reader_.bytes(sizeof(double), operation_name_)) {
        bits = bits << 8U | std::to_integer<std::uint64_t>(byte);
    }
    push(Kind::real).real = std::bit_cast<double>(bits);
}

References PickleMachine::pop_count(std::size_t count) {
    if (stack_.size() - floor() < count) {
        fail("expected " + std::to_string(count) + " values on the stack, found " +
             std::to_string(stack_.size() - floor()));
    }
    References items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
}

PickleReference PickleMachine::pop() {
    const PickleReference value = top();
    stack_.pop_back();
    return value;
}

PickleReference PickleMachine::top() {
    if (stack_.size() <= floor()) fail("expected a value on the stack, found none");
    return stack_.back();
}

References PickleMachine::pop_to_mark() {
    if (marks_.empty()) fail("expected a mark on the stack, found none");
    References items = pop_count(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
}

void PickleMachine::append(Kind kind, const References& items) {
    PickleValue& container = values_[top()];
    if (container.kind != kind) {
        fail("expected " + std::string(describe(kind)) + " to add to, found " +
             std::string(describe(container.kind)));
    }
    container.items.insert(container.items.end(), items.begin(), items.end());
}

void PickleMachine::append_pairs(const References& items) {
    if (items.size() % 2 != 0) fail("expected pairs, found " + std::to_string(items.size()) + " values");
    append(Kind::dict, items);
}

void PickleMachine::put(std::size_t index) {
    if (index >= most_pickle_operations) {
        fail("expected a memo index below " + std::to_string(most_pickle_operations) + ", found " +
             std::to_string(index));
    }
    const PickleReference value = top();
    if (memo_.size() <= index) memo_.resize(index + 1, unset);
    memo_[index] = value;
}

void PickleMachine::get(std::size_t index) {
    if (index >= memo_.size() || memo_[index] == unset) {
        fail("expected a memo index that was set, found " + std::to_string(index));
    }
    stack_.push_back(memo_[index]);
}

/// Frames help those who read from a stream; here they only must not lie.
void PickleMachine::skip_frame_header() {
    const auto length = read<std::uint64_t>();
    if (length > reader_.remaining()) {
        fail("expected " + std::to_string(length) + " bytes, found " + std::to_string(reader_.remaining()));
    }
}

void PickleMachine::push_global(std::string_view module, std::string_view name) {
    const PickleGlobal* global = find_pickle_global(module, name);
    if (global == nullptr) {
        fail("expected a name that a state dict needs, found " + printable(module) + "." + printable(name) +
             " (of a whole model, save its state_dict() instead)");
    }
    push(Kind::global).global = global;
}

void PickleMachine::push_global_from_lines() {
    const std::string_view module = reader_.line("a module's name");
    push_global(module, reader_.line("a global's name"));
}

void PickleMachine::push_global_from_stack() {
    const References names = pop_count(2);
    const PickleValue& module = values_[names[0]];
    const PickleValue& name = values_[names[1]];
    if (module.kind != Kind::text || name.kind != Kind::text) {
        fail("expected two texts, found " + std::string(describe(module.kind)) + " and " +
             std::string(describe(name.kind)));
    }
    push_global(module.text, name.text);
}

/// Nothing is called: the few functions that may be are acted out here.
void PickleMachine::call() {
    const References call = pop_count(2);
    const PickleGlobal& global = checked_callable(values_[call[0]], values_[call[1]]);
    const References arguments = values_[call[1]].items;
    switch (global.role) {
        case Role::ordered_dict:
            return call_ordered_dict(global, arguments);
        case Role::rebuild_tensor:
            return push_items(Kind::tensor, arguments);
        case Role::rebuild_parameter:
            return call_rebuild_parameter(arguments[0]);
        case Role::storage:
            break;  // excluded by the check
    }
}

const PickleGlobal& PickleMachine::checked_callable(const PickleValue& callable,
                                                    const PickleValue& arguments) const {
    if (callable.kind != Kind::global || callable.global->role == Role::storage) {
        fail("expected a function to call, found " + std::string(describe(callable.kind)));
    }
    const PickleGlobal& global = *callable.global;
    const std::size_t count = arguments.items.size();
    const bool right_count = count >= global.least_arguments && count <= global.most_arguments;
    if (arguments.kind != Kind::tuple || !right_count) {
        fail(std::string(global.name) + ": expected a tuple of " + std::to_string(global.least_arguments) +
             " to " + std::to_string(global.most_arguments) + " arguments, found " +
             std::string(describe(arguments.kind)) + " of " + std::to_string(count));
    }
    return global;
}

/// Python 2 gave an OrderedDict its pairs in the call, as a list.
void PickleMachine::call_ordered_dict(const PickleGlobal& global, const References& arguments) {
    PickleValue& dict = push(Kind::dict);
    dict.global = &global;
    if (arguments.empty()) return;
    const PickleValue& pairs = values_[arguments[0]];
    if (pairs.kind != Kind::list) {
        fail("OrderedDict: expected a list of pairs, found " + std::string(describe(pairs.kind)));
    }
    operations_ += pairs.items.size();  // else a list that is passed over and over would take quadratic time
    for (const PickleReference reference : pairs.items) {
        const PickleValue& pair = values_[reference];
        if ((pair.kind != Kind::list && pair.kind != Kind::tuple) || pair.items.size() != 2) {
            fail("OrderedDict: expected a pair, found " + std::string(describe(pair.kind)));
        }
        dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
    }
}

void PickleMachine::call_rebuild_parameter(PickleReference tensor) {
    if (values_[tensor].kind != Kind::tensor) {
        fail("_rebuild_parameter: expected a tensor, found " + std::string(describe(values_[tensor].kind)));
    }
    stack_.push_back(tensor);
}

/// A state dict carries its modules' versions as an attribute, which nobody here needs.
void PickleMachine::set_attributes() {
    const PickleValue& attributes = values_[pop()];
    const PickleValue& target = values_[top()];
    const bool ordered_dict = target.kind == Kind::dict && target.global != nullptr;
    if (!ordered_dict || attributes.kind != Kind::dict) {
        fail("expected a dict of attributes for an OrderedDict, found " +
             std::string(describe(attributes.kind)) + " for " + std::string(describe(target.kind)));
    }
}

}  // namespace vgg19::converter
