#include "converter/import/checkpoint_tree.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/import/fact_collector.h"
#include "converter/import/torch_tensor.h"

namespace vgg19::converter {
namespace {

using Kind = PickleKind;

bool is_leaf(Kind kind) {
    switch (kind) {
        case Kind::tuple:
        case Kind::list:
        case Kind::set:
        case Kind::dict:
        case Kind::object:
            return false;
        default:
            return true;
    }
}

/// The dicts in which torch.nn.Module keeps its parts; callers see these parts as attributes of the module.
bool is_part_of_module(std::string_view key) {
    return key == "_modules" || key == "_parameters" || key == "_buffers";
}

/// Whether calling it returns a dict of its arguments.
bool makes_dict(const PickleGlobal& global) {
    constexpr std::array modules = {std::string_view("collections"), std::string_view("builtins"),
                                    std::string_view("__builtin__"), std::string_view("copyreg"),
                                    std::string_view("copy_reg"),    std::string_view("types")};
    return std::find(modules.begin(), modules.end(), global.module) != modules.end();
}

/// A container or object still to be visited.
struct Child {
    PickleReference key = no_reference;  ///< no_reference: `index` is used instead
    std::uint32_t index = 0;
    PickleReference value = no_reference;
    bool own_level = true;  ///< whether its key is part of the path
};

/// A container or object that is being visited.
struct Level {
    PickleReference value = no_reference;
    std::vector<Child> children;
    std::size_t next = 0;
    std::size_t path_length = 0;
    std::size_t tensors_before = 0;
    bool module = false;
};

class Tree {
  public:
    Tree(const Pickle& pickle, const StorageBytes& storages)
        : pickle_(pickle),
          tensors_(pickle, storages, contents_.owned),
          allowance_(least_contents_memory + contents_memory_factor * pickle.bytes()),
          facts_(pickle, allowance_, contents_.facts),
          visits_(pickle.size(), 0),
          in_progress_(pickle.size(), false),
          holds_tensors_(pickle.size(), false) {}

    CheckpointContents flatten();

  private:
    void visit(const Child& child);
    bool read_tensor(PickleReference reference, Level& level);
    void add_children(PickleReference reference, Level& level);
    void add_object(const PickleValue& value, Level& level);
    void add_state(PickleReference state, Level& level);
    void add_pairs(PickleReference dict, Level& level);
    void add_pair_list(PickleReference list, Level& level);
    void add_items(PickleReference container, Level& level);
    void add_value(Child child, Level& level);
    bool may_visit(PickleReference reference);
    bool is_scalar(const PickleValue& value) const;
    std::string key_text(const Child& child) const;
    bool keep(StoredTensor& tensor);

    const Pickle& pickle_;
    CheckpointContents contents_;
    TensorReader tensors_;
    MemoryAllowance allowance_;
    FactCollector facts_;
    std::vector<std::uint8_t> visits_;
    std::vector<bool> in_progress_;
    std::vector<bool> holds_tensors_;
    std::vector<Level> levels_;
    std::string path_;
};

CheckpointContents Tree::flatten() {
    visit({.value = pickle_.root_reference(), .own_level = false});
    while (!levels_.empty()) {
        Level& level = levels_.back();
        if (level.next < level.children.size()) {
            visit(level.children[level.next++]);
            continue;
        }
        in_progress_[level.value] = false;
        if (contents_.tensors.size() > level.tensors_before) holds_tensors_[level.value] = true;
        path_.resize(level.path_length);
        levels_.pop_back();
    }
    facts_.finish();
    return std::move(contents_);
}

bool Tree::may_visit(PickleReference reference) {
    if (in_progress_[reference]) return false;  // a cycle: it is being visited already
    if (visits_[reference] >= most_paths) {
        if (holds_tensors_[reference]) {
            facts_.leave_out("tensors' containers that more than " + std::to_string(most_paths) +
                             " paths lead to");
        }
        return false;
    }
    ++visits_[reference];
    return true;
}

/// A NumPy scalar.
bool Tree::is_scalar(const PickleValue& value) const {
    const PickleGlobal* called = pickle_.callable(value);
    return called != nullptr && called->name == "scalar" && called->module.starts_with("numpy.");
}

std::string Tree::key_text(const Child& child) const {
    if (child.key == no_reference) return std::to_string(child.index);
    return pickle_key_text(pickle_, pickle_.at(child.key), longest_path);
}

void Tree::visit(const Child& child) {
    const PickleValue& value = pickle_.at(child.value);
    Level level{
        .value = child.value, .path_length = path_.size(), .tensors_before = contents_.tensors.size()};
    level.module = !levels_.empty() && levels_.back().module;
    if (child.own_level) {
        const std::string key = key_text(child);
        if (path_.size() + key.size() >= longest_path) return facts_.leave_out("values at long paths");
        if (!path_.empty()) path_ += '.';
        path_ += key;
        if (level.path_length == 0) facts_.begin_part(key, value);
        facts_.container(path_, key, value);
    }
    const bool tensor = value.kind == Kind::object && read_tensor(child.value, level);
    if (levels_.size() >= most_levels) {
        if (!tensor) facts_.leave_out("values that are nested deeper than " + std::to_string(most_levels));
        path_.resize(level.path_length);
        return;
    }
    if (!tensor && may_visit(child.value)) {
        add_children(child.value, level);
        in_progress_[child.value] = true;
        levels_.push_back(std::move(level));
    } else if (!level.children.empty()) {
        levels_.push_back(std::move(level));
    } else {
        path_.resize(level.path_length);
    }
}

/// Whether there is room for one more; if so, it is kept under its path.
bool Tree::keep(StoredTensor& tensor) {
    if (contents_.tensors.size() >= most_tensors) {
        facts_.leave_out("tensors beyond " + std::to_string(most_tensors));
        return false;
    }
    const std::size_t numbers = tensor.shape.size() + tensor.strides.size();
    if (!allowance_.take(sizeof tensor + path_.size() + numbers * sizeof(std::size_t))) {
        facts_.leave_out("tensors that are repeated more often than the file's size explains");
        return false;
    }
    tensor.name = path_;
    contents_.tensors.push_back(std::move(tensor));
    return true;
}

/// Adds the tensor if it is one; its attributes become children of the level.
bool Tree::read_tensor(PickleReference reference, Level& level) {
    TensorReading reading = tensors_.read(reference, path_);
    switch (reading.outcome) {
        case TensorReading::Outcome::no_tensor:
            return false;
        case TensorReading::Outcome::stored:
            if (!keep(reading.tensor)) return true;
            break;
        case TensorReading::Outcome::quantized:
            facts_.quantized(path_);
            break;
        case TensorReading::Outcome::left_out:
            facts_.tensor_left_out(reading.what);
            break;
    }
    if (reading.state != no_reference) add_state(reading.state, level);
    return true;
}

void Tree::add_children(PickleReference reference, Level& level) {
    const PickleValue& value = pickle_.at(reference);
    if (value.kind == Kind::object) {
        add_object(value, level);
    } else if (value.kind == Kind::dict) {
        add_pairs(reference, level);
    } else {
        add_items(reference, level);
    }
    const PickleReference attributes = pickle_.attributes(reference);
    if (attributes != no_reference) add_state(attributes, level);
}

void Tree::add_object(const PickleValue& value, Level& level) {
    const PickleObject& object = *pickle_.object(value);
    const PickleGlobal* callable = pickle_.callable(value);
    const PickleValue& arguments = pickle_.at(object.arguments);
    if (object.state != no_reference && facts_.module(path_, value)) level.module = true;
    if (callable == nullptr) add_value({.value = object.callable}, level);
    if (is_leaf(arguments.kind)) {
        facts_.value(path_, "", arguments, level.module);
    } else if (may_visit(object.arguments)) {
        const bool dict = callable != nullptr && makes_dict(*callable);
        std::uint32_t index = 0;
        for (const PickleReference argument : pickle_.items(arguments)) {
            const Kind kind = pickle_.at(argument).kind;
            if (dict && kind == Kind::dict && may_visit(argument)) {
                add_pairs(argument, level);
            } else if (dict && kind == Kind::list && may_visit(argument)) {
                add_pair_list(argument, level);
            } else {
                add_value({.index = index, .value = argument}, level);
            }
            ++index;
        }
    }
    if (object.state != no_reference) add_state(object.state, level);
    if (object.pairs != no_reference) add_pairs(object.pairs, level);
    if (object.elements != no_reference) add_items(object.elements, level);
}

/// Either a dict of attributes, or a tuple of such a dict and a dict of slots; any other state belongs to the
/// object itself.
void Tree::add_state(PickleReference state, Level& level) {
    const PickleValue& value = pickle_.at(state);
    if (value.kind == Kind::dict) {
        if (may_visit(state)) add_pairs(state, level);
        return;
    }
    if (value.kind != Kind::tuple || !may_visit(state)) {
        add_value({.value = state, .own_level = false}, level);
        return;
    }
    std::uint32_t index = 0;
    for (const PickleReference item : pickle_.items(value)) {
        if (pickle_.at(item).kind != Kind::dict) {
            add_value({.index = index, .value = item}, level);
        } else if (may_visit(item)) {
            add_pairs(item, level);
        }
        ++index;
    }
}

void Tree::add_pairs(PickleReference dict, Level& level) {
    const std::span<const PickleReference> pairs = pickle_.items(pickle_.at(dict));
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
        const std::string_view key = pickle_.at(pairs[i]).text();
        if (key == "_metadata") continue;  // versions of the state dict's modules, not needed
        const bool part = is_part_of_module(key);
        add_value({.key = pairs[i], .value = pairs[i + 1], .own_level = !part}, level);
    }
}

/// Python 2 passed a list of [key, value] to OrderedDict.
void Tree::add_pair_list(PickleReference list, Level& level) {
    std::uint32_t index = 0;
    for (const PickleReference item : pickle_.items(pickle_.at(list))) {
        const std::span<const PickleReference> pair = pickle_.items(pickle_.at(item));
        if (pickle_.at(item).kind != Kind::dict && pair.size() == 2) {
            add_value({.key = pair[0], .value = pair[1]}, level);
        } else {
            add_value({.index = index, .value = item}, level);
        }
        ++index;
    }
}

void Tree::add_items(PickleReference container, Level& level) {
    std::uint32_t index = 0;
    for (const PickleReference item : pickle_.items(pickle_.at(container))) {
        add_value({.index = index++, .value = item}, level);
    }
}

/// Handles plain values directly, so that a list of a million of them needs no memory.
void Tree::add_value(Child child, Level& level) {
    const PickleValue& value = pickle_.at(child.value);
    if (!is_leaf(value.kind) && !is_scalar(value)) {
        level.children.push_back(child);
    } else {
        const bool named = child.key != no_reference;
        std::string_view key = named ? pickle_.at(child.key).text() : std::string_view();
        if (key.size() >= longest_path) key = {};
        if (path_.empty() && !level.module) facts_.begin_part(key_text(child), value);
        facts_.value(path_, key, value, level.module);
    }
}

}  // namespace

CheckpointContents flatten(const Pickle& pickle, const StorageBytes& storages) {
    return Tree(pickle, storages).flatten();
}

}  // namespace vgg19::converter
