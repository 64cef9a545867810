#include "converter/import/fact_collector.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "converter/import/fact_names.h"
#include "converter/import/module_types.h"
#include "converter/import/pickle_bytes.h"
#include "engine/model/number_text.h"

namespace vgg19::converter {
namespace {

using Kind = PickleKind;
using References = std::span<const PickleReference>;

constexpr std::size_t most_parts = 100;
/// More classes than any data set has, and more facts of a kind than any file needs.
constexpr std::size_t most_classes = 100'000;
constexpr std::size_t most_facts = 1000;
/// In total over all lists that may be classes: a single list can be reachable under many keys.
constexpr std::size_t most_names_seen = 1'000'000;
/// A number or an index as a text, and the name of a class: longer texts are neither. A pickle can name a
/// text of megabytes millions of times.
constexpr std::size_t longest_number = 64;
constexpr std::size_t longest_class_name = 1000;

/// An upper bound for the number of bytes in a byte string, or in the text that encodes it.
std::size_t size_of_bytes(const Pickle& pickle, const PickleValue& value) {
    const PickleObject* const encoding = pickle.object(value);
    if (encoding == nullptr) return value.text().size();
    const References arguments = pickle.items(pickle.at(encoding->arguments));
    return arguments.empty() ? 0 : pickle.at(arguments[0]).text().size();
}

/// A NumPy floating-point scalar: a call of scalar(dtype("f4", …), bytes).
std::optional<double> numpy_number(const Pickle& pickle, const PickleValue& value) {
    const PickleGlobal* const called = pickle.callable(value);
    if (called == nullptr || called->name != "scalar" || !called->module.starts_with("numpy.")) return {};
    const References arguments = pickle.items(pickle.at(pickle.object(value)->arguments));
    const PickleObject* const type = arguments.size() == 2 ? pickle.object(pickle.at(arguments[0])) : nullptr;
    constexpr std::size_t most_encoded = 2 * sizeof(double);  // in UTF-8
    if (type == nullptr || size_of_bytes(pickle, pickle.at(arguments[1])) > most_encoded) return {};
    const References names = pickle.items(pickle.at(type->arguments));
    const std::string_view name = names.empty() ? std::string_view() : pickle.at(names[0]).text();
    OwnedBytes owned;
    const auto bytes = PickleBytes(pickle, owned).bytes_of(arguments[1]);
    const auto read = [&bytes](auto number) -> std::optional<double> {
        if (!bytes || bytes->size() != sizeof number) return {};
        std::memcpy(&number, bytes->data(), sizeof number);
        return static_cast<double>(number);
    };
    if (name == "f4") return read(float());
    if (name == "f8") return read(double());
    return {};
}

/// Also accepts a text, since YAML reads 1e-3 (without a point) as one.
std::optional<double> number_of(const Pickle& pickle, const PickleValue& value) {
    if (value.kind == Kind::real) return value.real();
    if (value.kind == Kind::integer) return static_cast<double>(value.integer);
    if (value.kind == Kind::object) return numpy_number(pickle, value);
    const std::string_view text = value.kind == Kind::text ? value.text() : std::string_view();
    double number = 0;
    if (text.size() > longest_number) return {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return number;
}

/// A whole number, also as a text, as in JSON's keys.
std::optional<std::size_t> index_of(const PickleValue& value) {
    if (value.kind == Kind::integer && value.integer >= 0) return static_cast<std::size_t>(value.integer);
    const std::string_view text = value.text();
    std::size_t index = 0;
    if (text.size() > longest_number) return {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (value.kind != Kind::text || error != std::errc() || end != text.data() + text.size()) return {};
    return index;
}

using Names = std::optional<std::vector<std::string>>;

bool is_name(const PickleValue& value) {
    return value.kind == Kind::text && value.text().size() <= longest_class_name;
}

/// What a list of such names takes.
std::size_t memory_of_names(const Pickle& pickle, References texts) {
    std::size_t bytes = 0;
    for (const PickleReference text : texts) bytes += sizeof(std::string) + pickle.at(text).text().size();
    return bytes;
}

Names names_in_list(const Pickle& pickle, References items) {
    std::vector<std::string> names;
    names.reserve(items.size());
    for (const PickleReference item : items) {
        if (!is_name(pickle.at(item))) return {};
        names.emplace_back(pickle.at(item).text());
    }
    return names;
}

/// From pairs of a name and its class's index, in either order. Every index below the number of pairs must
/// occur once.
Names names_in_pairs(const Pickle& pickle, References pairs) {
    std::vector<std::string> names(pairs.size() / 2);
    std::vector<bool> there(names.size(), false);
    const bool index_last = !pairs.empty() && pickle.at(pairs[1]).kind == Kind::integer;
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        const PickleValue& name = pickle.at(pairs[index_last ? i : i + 1]);
        const auto index = index_of(pickle.at(pairs[index_last ? i + 1 : i]));
        if (!is_name(name) || !index || *index >= names.size() || there[*index]) return {};
        there[*index] = true;
        names[*index] = name.text();
    }
    return names;
}

std::string counted(std::size_t count, const std::string& what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

}  // namespace

std::string pickle_key_text(const Pickle& pickle, const PickleValue& key, std::size_t longest) {
    switch (key.kind) {
        case Kind::text:
        case Kind::bytes:
            return std::string(key.text().substr(0, longest));
        case Kind::integer:
            return std::to_string(key.integer);
        case Kind::boolean:
            return key.integer != 0 ? "True" : "False";
        case Kind::none:
            return "None";
        case Kind::real:
            return shortest_text(key.real());
        default: {
            std::string text = "<";
            return text.append(pickle.describe_value(key)).append(">");
        }
    }
}

FactCollector::Part& FactCollector::part() {
    if (!kept_) {
        kept_ = true;
        if (parts_.size() < most_parts) {
            parts_.push_back(part_);
        } else {
            ++more_parts_;
        }
    }
    return more_parts_ > 0 ? more_ : parts_.back();
}

void FactCollector::begin_part(std::string_view key, const PickleValue& value) {
    const bool plain = value.kind != Kind::object && pickle_.items(value).empty();
    part_ = {.key = printable(key), .what = pickle_.describe_value(value), .plain = plain};
    kept_ = false;
}

void FactCollector::container(const std::string& path, std::string_view key, const PickleValue& value) {
    if (says_class_names(key)) class_names(path, value);
}

void FactCollector::class_names(const std::string& path, const PickleValue& value) {
    const PickleObject* object = pickle_.object(value);
    const PickleValue* container = &value;
    if (object != nullptr && object->pairs != no_reference) container = &pickle_.at(object->pairs);
    if (object != nullptr && object->elements != no_reference) container = &pickle_.at(object->elements);
    const References items = pickle_.items(*container);
    const bool dict = container->kind == Kind::dict;
    const std::size_t count = dict ? items.size() / 2 : items.size();
    if (container->kind == Kind::set || count == 0 || count > most_classes) return;
    names_seen_ += count;
    if (names_seen_ > most_names_seen) return;
    if (!allowance_.take(path.size() + memory_of_names(pickle_, items))) {
        return leave_out("lists of names that are repeated more often than the file's size explains");
    }
    Names names = dict ? names_in_pairs(pickle_, items) : names_in_list(pickle_, items);
    if (!names) return;
    facts_.class_names.push_back({path, std::move(*names)});
    part().values -= static_cast<std::ptrdiff_t>(count);
}

void FactCollector::value(const std::string& path, std::string_view key, const PickleValue& value,
                          bool in_module) {
    if (in_module) {
        ++module_settings_;
        return;
    }
    ++part().values;
    const bool may_be = key.find("ps") != std::string_view::npos || key.find("PS") != std::string_view::npos;
    const std::optional<double> number = may_be ? number_of(pickle_, value) : std::nullopt;
    if (!number || facts_.batch_norm_epsilons.size() >= most_facts) return;
    std::string whole = path;
    if (!path.empty()) whole += '.';
    whole += key;
    if (says_batch_norm_epsilon(whole)) facts_.batch_norm_epsilons.push_back({whole, *number});
}

bool FactCollector::module(const std::string& path, const PickleValue& value) {
    const PickleValue& state = pickle_.at(pickle_.object(value)->state);
    if (state.kind != Kind::dict) return false;
    const bool is_module = module_attribute(pickle_, state, "_parameters") != nullptr ||
                           module_attribute(pickle_, state, "training") != nullptr;
    if (!is_module) return false;
    const PickleGlobal* type = pickle_.callable(value);
    if (type != nullptr && facts_.modules.size() < most_facts) {
        CheckpointFacts::ModuleType found = module_type(pickle_, *type, state);
        found.path = path;
        found.object = value.offset;
        if (!found.type.empty()) facts_.modules.push_back(std::move(found));
    }
    const PickleValue* buffers = module_attribute(pickle_, state, "_buffers");
    const bool batch_norm = (type != nullptr && type->name.find("BatchNorm") != std::string_view::npos) ||
                            module_attribute(pickle_, state, "running_mean") != nullptr ||
                            (buffers != nullptr && buffers->kind == Kind::dict &&
                             module_attribute(pickle_, *buffers, "running_mean") != nullptr);
    const PickleValue* epsilon = module_attribute(pickle_, state, "eps");
    const std::optional<double> number = epsilon == nullptr ? std::nullopt : number_of(pickle_, *epsilon);
    if (batch_norm && number && facts_.batch_norm_epsilons.size() < most_facts) {
        facts_.batch_norm_epsilons.push_back({path, *number});
    }
    return true;
}

void FactCollector::quantized(const std::string& path) {
    if (facts_.quantized.size() < most_facts) facts_.quantized.push_back(path);
}

void FactCollector::tensor_left_out(const std::string& what) {
    ++part().tensors[what];
}

void FactCollector::finish() {
    more_.key = "and " + counted(more_parts_, "key") + " more";
    if (more_parts_ > 0) parts_.push_back(more_);
    for (const Part& part : parts_) {
        std::string text;
        if (part.plain) {
            text = part.what;
        } else if (part.values > 0) {
            text = counted(static_cast<std::size_t>(part.values), "value") +
                   (part.what.empty() ? "" : " in " + part.what);
        }
        std::string tensors;
        for (const auto& [type, count] : part.tensors) {
            tensors.append(tensors.empty() ? "" : ", ").append(counted(count, "tensor"));
            tensors.append(" (").append(type).append(")");
        }
        if (!tensors.empty()) facts_.unread_tensors.push_back(part.key + ": " + tensors);
        if (!text.empty() && !tensors.empty()) text += ", ";
        text += tensors;
        if (!text.empty()) facts_.skipped.push_back(part.key + ": " + text);
    }
    if (module_settings_ > 0) {
        facts_.skipped.push_back("modules: " + counted(module_settings_, "setting"));
    }
    for (const auto& [what, count] : left_out_) {
        facts_.skipped.push_back(what + ": " + std::to_string(count));
    }
}

}  // namespace vgg19::converter
