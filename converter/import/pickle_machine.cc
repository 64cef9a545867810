#include "converter/import/pickle_machine.h"

#include <bit>

namespace vgg19::converter {

using Kind = PickleKind;

/// Python's module of registered numbers.
constexpr std::string_view copyreg = "copyreg";

std::uint8_t PickleMachine::next_operation() {
    operation_offset_ = reader_.offset();
    operation_name_ = "operation";
    if (++operations_ > most_pickle_operations) {
        fail("expected at most " + std::to_string(most_pickle_operations) + " of them, found more");
    }
    return read<std::uint8_t>();
}

PickleContents PickleMachine::take_contents() {
    if (stack_.size() != 1 || !marks_.empty()) {
        fail("expected one value on the stack and no mark, found " + std::to_string(stack_.size()) + " and " +
             std::to_string(marks_.size()));
    }
    contents_.root = stack_.back();
    contents_.bytes = reader_.offset() - begin_;
    return std::move(contents_);
}

void PickleMachine::check_protocol() {
    const auto protocol = read<std::uint8_t>();
    if (protocol > 5) fail("expected protocol 0 to 5, found " + std::to_string(protocol));
}

PickleReference PickleMachine::make(Kind kind) {
    PickleValue& value = contents_.values.emplace_back();
    value.kind = kind;
    value.offset = operation_offset_ & ((std::uint64_t{1} << 56U) - 1);
    return static_cast<PickleReference>(contents_.values.size() - 1);
}

PickleReference PickleMachine::make_items(Kind kind, const References& items) {
    const PickleReference made = make(kind);
    if (kind == Kind::tuple && items.empty()) return made;  // the shared empty tuple never changes
    value(made).integer = static_cast<std::int64_t>(contents_.items.size());
    contents_.items.emplace_back(items);
    return made;
}

PickleValue& PickleMachine::push(Kind kind) {
    stack_.push_back(make(kind));
    return value(stack_.back());
}

void PickleMachine::push_items(Kind kind, const References& items) {
    stack_.push_back(make_items(kind, items));
}

void PickleMachine::push_pairs() {
    References pairs = pop_to_mark();
    push_items(Kind::dict, {});
    append_pairs(pairs);
}

void PickleMachine::set_text(PickleValue& value, std::string_view text) {
    value.characters = text.data();
    value.integer = static_cast<std::int64_t>(text.size());
}

/// The text is a view into the file.
void PickleMachine::push_text(Kind kind, std::uint64_t length) {
    const std::string_view text = reader_.text(length, operation_name_);
    set_text(push(kind), text);
}

/// Little endian, two's complement, with the fewest possible bytes.
void PickleMachine::push_long(std::uint64_t length) {
    const std::string_view digits = reader_.text(length, operation_name_);
    if (digits.size() > sizeof(std::int64_t)) return set_text(push(Kind::big_integer), digits);
    const bool negative = !digits.empty() && static_cast<signed char>(digits.back()) < 0;
    std::uint64_t bits = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;) bits = bits << 8U | static_cast<unsigned char>(digits[i]);
    push_integer(static_cast<std::int64_t>(bits));
}

/// The only big-endian number in a pickle.
void PickleMachine::push_real() {
    std::uint64_t bits = 0;
    for (const std::byte byte : reader_.bytes(sizeof(double), operation_name_)) {
        bits = bits << 8U | std::to_integer<std::uint64_t>(byte);
    }
    push(Kind::real).integer = static_cast<std::int64_t>(bits);
}

PickleMachine::References PickleMachine::pop_count(std::size_t count) {
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

PickleMachine::References PickleMachine::pop_to_mark() {
    if (marks_.empty()) fail("expected a mark on the stack, found none");
    References items = pop_count(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
}

/// POP removes whatever is on top, including a mark.
void PickleMachine::pop_or_unmark() {
    if (!marks_.empty() && stack_.size() == marks_.back()) {
        marks_.pop_back();
    } else {
        pop();
    }
}

PickleReference PickleMachine::container_of(PickleReference target, Kind kind) {
    if (value(target).kind != Kind::object) return target;
    PickleObject& object = contents_.objects[static_cast<std::size_t>(value(target).integer)];
    PickleReference& container = kind == Kind::dict ? object.pairs : object.elements;
    if (container == no_reference) container = make_items(kind, {});
    return container;
}

void PickleMachine::append(Kind kind, const References& items) {
    const PickleValue& container = value(container_of(top(), kind));
    const bool in_object =
        value(top()).kind == Kind::object;  // for an object, lists and sets are treated the same
    if (container.kind != kind && !(in_object && container.kind != Kind::dict)) {
        fail("expected " + std::string(describe(kind)) + " to add to, found " +
             std::string(describe(container.kind)));
    }
    this->items(container).append(items);
}

void PickleMachine::append_pairs(const References& items) {
    if (items.size() % 2 != 0) fail("expected pairs, found " + std::to_string(items.size()) + " values");
    append(Kind::dict, items);
}

void PickleMachine::put(std::size_t index) {
    if (index >= most_memo_) {
        fail("expected a memo index below " + std::to_string(most_memo_) + ", found " +
             std::to_string(index));
    }
    const PickleReference value = top();
    if (memo_.size() <= index) memo_.resize(index + 1, no_reference);
    memo_[index] = value;
}

void PickleMachine::get(std::size_t index) {
    if (index >= memo_.size() || memo_[index] == no_reference) {
        fail("expected a memo index that was set, found " + std::to_string(index));
    }
    stack_.push_back(memo_[index]);
}

/// Frames only help stream readers; here it is enough to check them.
void PickleMachine::skip_frame_header() {
    const auto length = read<std::uint64_t>();
    if (length > reader_.remaining()) {
        fail("expected " + std::to_string(length) + " bytes, found " + std::to_string(reader_.remaining()));
    }
}

/// Stores each name once, however often the pickle repeats it.
void PickleMachine::push_global(std::string_view module, std::string_view name) {
    constexpr std::size_t longest_name =
        10'000;  // longer ones would take time each time they are named again
    if (module.size() > longest_name || name.size() > longest_name) {
        fail("expected names of at most " + std::to_string(longest_name) + " bytes, found longer ones");
    }
    const auto [known, is_new] = known_globals_.try_emplace({module, name}, no_reference);
    if (is_new) {
        contents_.globals.push_back({module, name});
        known->second = make(Kind::global);
        value(known->second).integer = static_cast<std::int64_t>(contents_.globals.size() - 1);
    }
    stack_.push_back(known->second);
}

void PickleMachine::push_global_from_lines() {
    const std::string_view module = reader_.line("a module's name");
    push_global(module, reader_.line("a global's name"));
}

void PickleMachine::push_global_from_stack() {
    const References names = pop_count(2);
    const PickleValue& module = value(names[0]);
    const PickleValue& name = value(names[1]);
    if (module.kind != Kind::text || name.kind != Kind::text) {
        fail("expected two texts, found " + std::string(describe(module.kind)) + " and " +
             std::string(describe(name.kind)));
    }
    push_global(module.text(), name.text());
}

/// A registered number in place of a name; the file does not contain the name.
void PickleMachine::push_extension(std::uint32_t code) {
    std::string name = "extension " + std::to_string(code);
    if (known_globals_.contains({copyreg, name})) return push_global(copyreg, name);
    push_global(copyreg, contents_.texts.emplace_back(std::move(name)));
}

void PickleMachine::push_object(PickleReference callable, PickleReference arguments) {
    contents_.objects.push_back({.callable = callable, .arguments = arguments});
    push(Kind::object).integer = static_cast<std::int64_t>(contents_.objects.size() - 1);
}

/// Records the call instead of executing it.
void PickleMachine::call() {
    const References call = pop_count(2);
    push_object(call[0], call[1]);
}

void PickleMachine::call_with_names() {
    References call = pop_count(3);
    const PickleValue& named = value(call[2]);
    const bool none = named.kind == Kind::dict && items(named).empty();
    push_object(call[0], none ? call[1] : make_items(Kind::tuple, {call[1], call[2]}));
}

void PickleMachine::call_from_lines() {
    push_global_from_lines();
    const PickleReference callable = stack_.back();
    stack_.pop_back();
    push_object(callable, make_items(Kind::tuple, pop_to_mark()));
}

void PickleMachine::call_from_mark() {
    References call = pop_to_mark();
    if (call.empty()) fail("expected a class above the mark, found nothing");
    push_object(call[0], make_items(Kind::tuple, {call.begin() + 1, call.end()}));
}

/// The state of a value; a second state is kept next to the first.
void PickleMachine::set_state() {
    const PickleReference state = pop();
    const PickleReference target = top();
    const PickleValue& changed = value(target);
    PickleReference* place = nullptr;
    switch (changed.kind) {
        case Kind::none:
        case Kind::boolean:
        case Kind::integer:
        case Kind::big_integer:
        case Kind::real:
        case Kind::text:
        case Kind::bytes:
            fail("expected an object to give attributes to, found " + std::string(describe(changed.kind)));
        case Kind::object:
            place = &contents_.objects[static_cast<std::size_t>(changed.integer)].state;
            break;
        default:
            place = &contents_.attributes.try_emplace(target, no_reference).first->second;
    }
    *place = *place == no_reference ? state : make_items(Kind::tuple, {*place, state});
}

}  // namespace vgg19::converter
