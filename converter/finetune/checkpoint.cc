#include "converter/finetune/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/description.h"
#include "engine/model/foreign_text.h"
#include "engine/model/tensor_scan.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using model::Json;

constexpr const char* format = "vgg19-finetune-checkpoint";
constexpr const char* format_version = "1";
constexpr std::uint64_t most_threads = 1024;

[[noreturn]] void fail(const std::string& place, const std::string& problem) {
    throw Error(ErrorKind::bad_input, place + ": " + problem);
}

/// A tensor of a checkpoint, and the memory of its values during training.
struct Slot {
    std::string name;
    std::vector<std::size_t> shape;
    std::span<float> values;
};

std::vector<Slot> kept_slots(std::span<const Parameter> kept) {
    std::vector<Slot> result;
    for (const Parameter& parameter : kept) {
        result.push_back({parameter.name + ".kept", parameter.shape, parameter.values});
    }
    return result;
}

std::vector<Slot> slots(std::span<const Parameter> parameters, std::span<const OptimizerState> state,
                        std::span<const Parameter> kept) {
    std::vector<Slot> result = kept_slots(kept);
    for (const Parameter& parameter : parameters) {
        if (!parameter.gradient.empty()) {
            result.push_back({parameter.name, parameter.shape, parameter.values});
        }
    }
    for (const OptimizerState& each : state) {
        result.push_back({each.parameter + "." + each.name, {each.values.size()}, each.values});
    }
    return result;
}

std::vector<model::Tensor> tensors_of(const std::vector<Slot>& slots) {
    std::vector<model::Tensor> tensors;
    tensors.reserve(slots.size());
    for (const Slot& slot : slots) {
        tensors.push_back({slot.name, model::DType::f32, slot.shape, std::as_bytes(slot.values)});
    }
    return tensors;
}

// ---- metadata ----

const std::string& metadata_value(const model::SafetensorsFile& file, const char* key) {
    const std::string* found = model::find(file.metadata(), key);
    if (found == nullptr) {
        fail(file.mapping().path().string(),
             "expected a checkpoint of vgg19 finetune, found no metadata \"" + std::string(key) + '"');
    }
    return *found;
}

void require_value(const model::SafetensorsFile& file, const char* key, const std::string& expected) {
    const std::string& found = metadata_value(file, key);
    if (found == expected) return;
    fail(file.mapping().path().string(), "metadata \"" + std::string(key) + "\": expected \"" + expected +
                                             "\", found " + model::in_quotes(found));
}

Json json_value(const model::SafetensorsFile& file, const char* key) {
    constexpr std::size_t longest = std::size_t{1} << 20U;
    const std::string place = file.mapping().path().string() + ": metadata \"" + key + '"';
    const std::string& text = metadata_value(file, key);
    if (text.size() > longest) {
        fail(place, "expected at most " + std::to_string(longest) + " bytes, found more");
    }
    Json json = Json::parse(text, place);
    if (!json.is_object()) fail(place, "expected an object, found " + model::printable(json.dump()));
    return json;
}

/// Reads the members of the state and checks their ranges.
class StateReader {
  public:
    StateReader(const Json& state, std::string place) : state_(state), place_(std::move(place)) {}

    std::uint64_t whole(const char* key, std::uint64_t least, std::uint64_t most) const {
        const double value = number(key);
        if (value < static_cast<double>(least) || value > static_cast<double>(most) ||
            value != std::floor(value)) {
            refuse(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        return static_cast<std::uint64_t>(value);
    }

    double positive(const char* key) const {
        const double value = number(key);
        if (value < 0) refuse(key, "a number of at least 0");
        return value;
    }

  private:
    double number(const char* key) const {
        const Json* found = state_.find(key);
        if (found == nullptr || !found->is_number()) refuse(key, "a number");
        return found->number();
    }

    [[noreturn]] void refuse(const char* key, const std::string& expected) const {
        const Json* found = state_.find(key);
        fail(place_, std::string(key) + ": expected " + expected + ", found " +
                         (found == nullptr ? "none" : model::printable(found->dump())));
    }

    const Json& state_;
    std::string place_;
};

constexpr std::uint64_t most_steps =
    std::uint64_t{1} << 53U;  // the largest range of integers that a double represents exactly

Json state_json(const CheckpointDescription& description) {
    const TrainingPosition& position = description.position;
    Json state;
    state.set("steps", position.steps).set("loss", position.loss).set("top1", position.top1);
    state.set("seconds", position.seconds);
    state.set("micro_batch", std::uint64_t{description.resources.micro_batch});
    state.set("threads", std::int64_t{description.resources.threads});
    const double rate = description.resources.learning_rate;
    if (rate > 0) state.set("learning_rate", rate);
    return state;
}

// ---- tensors ----

std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t size : shape) text += (text.empty() ? "" : "×") + std::to_string(size);
    return text;
}

void check_tensor(const std::string& file_name, const Slot& slot, const model::Tensor* tensor) {
    const std::string place = file_name + ": tensor " + slot.name;
    const std::string expected = "F32 " + shape_text(slot.shape);
    if (tensor == nullptr) fail(place, "expected " + expected + ", found none");
    if (tensor->dtype == model::DType::f32 && tensor->shape == slot.shape) return;
    fail(place, "expected " + expected + ", found " + model::dtype_name(tensor->dtype) + ' ' +
                    shape_text(tensor->shape));
}

void check_values(const model::SafetensorsFile& file, std::span<const model::Tensor> tensors) {
    const std::vector<model::TensorScan> scans = model::scan_tensors(tensors);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::string place = file.mapping().path().string() + ": tensor " + tensors[i].name;
        const std::string* expected = model::find(file.metadata(), model::checksum_key(tensors[i].name));
        const std::string found = model::checksum_text(scans[i].sha256);
        if (expected == nullptr || *expected != found) {
            fail(place, "expected checksum " + (expected == nullptr ? "none" : model::printable(*expected)) +
                            ", found " + found);
        }
        if (scans[i].first_not_finite) {
            fail(place, "element " + std::to_string(*scans[i].first_not_finite) +
                            ": expected a finite number, found another");
        }
    }
}

/// Checks all tensors before it copies the first.
void copy_tensors(const model::SafetensorsFile& file, const std::vector<Slot>& targets) {
    const std::string name = file.mapping().path().string();
    std::vector<model::Tensor> tensors;
    for (const Slot& slot : targets) {
        const model::Tensor* const tensor = file.find(slot.name);
        check_tensor(name, slot, tensor);
        tensors.push_back(*tensor);
    }
    check_values(file, tensors);
    for (std::size_t i = 0; i < targets.size(); ++i) {
        std::memcpy(targets[i].values.data(), tensors[i].bytes.data(), tensors[i].bytes.size());
        file.mapping().release(tensors[i].bytes);
    }
}

}  // namespace

Checkpoint Checkpoint::open(model::MappedFile mapping) {
    model::SafetensorsFile file = model::SafetensorsFile::open_for_import(std::move(mapping));
    file.check_in_place();
    require_value(file, "format", format);
    require_value(file, "format_version", format_version);
    Json settings = json_value(file, "settings");
    const Json state = json_value(file, "state");
    const StateReader reader(state, file.mapping().path().string() + ": metadata \"state\"");
    const TrainingPosition position = {.steps = reader.whole("steps", 0, most_steps),
                                       .loss = reader.positive("loss"),
                                       .top1 = reader.whole("top1", 0, most_steps),
                                       .seconds = reader.positive("seconds")};
    const TrainingResources resources = {
        .micro_batch = reader.whole("micro_batch", 1, most_steps),
        .threads = static_cast<int>(reader.whole("threads", 1, most_threads)),
        .learning_rate = state.find("learning_rate") == nullptr ? 0 : reader.positive("learning_rate")};
    return {std::move(file), std::move(settings), position, resources};
}

void Checkpoint::require_settings(const Json::Object& settings) const {
    std::string differences;
    const auto add = [&](const std::string& name, const Json* there, const Json* now) {
        differences += (differences.empty() ? "" : "; ") + model::printable(name) + " was " +
                       (there == nullptr ? "not given" : model::printable(there->dump())) + ", is " +
                       (now == nullptr ? "not given" : model::printable(now->dump()));
    };
    for (const auto& [name, value] : settings) {
        const Json* there = settings_.find(name);
        if (there == nullptr || there->dump() != value.dump()) add(name, there, &value);
    }
    const Json now{settings};
    for (const auto& [name, value] : this->settings()) {
        if (now.find(name) == nullptr) add(name, &value, nullptr);
    }
    if (differences.empty()) return;
    throw Error(ErrorKind::usage,
                file_.mapping().path().string() +
                    ": expected a checkpoint of the same run, found one of another: " + differences);
}

void Checkpoint::restore(std::span<const Parameter> parameters, std::span<const OptimizerState> state,
                         std::span<const Parameter> kept) const {
    const std::vector<Slot> targets = slots(parameters, state, kept);
    const std::string name = file_.mapping().path().string();
    for (const Slot& slot : targets) check_tensor(name, slot, file_.find(slot.name));
    if (file_.tensors().size() != targets.size()) {
        fail(name, "expected " + std::to_string(targets.size()) + " tensors, found " +
                       std::to_string(file_.tensors().size()));
    }
    copy_tensors(file_, targets);
}

void Checkpoint::restore_kept(std::span<const Parameter> kept) const {
    copy_tensors(file_, kept_slots(kept));
}

void write_checkpoint(const std::filesystem::path& path, const CheckpointDescription& description,
                      std::span<const Parameter> parameters, std::span<const OptimizerState> state,
                      std::span<const Parameter> kept) {
    const std::vector<model::Tensor> tensors = tensors_of(slots(parameters, state, kept));
    const std::vector<model::TensorScan> scans = model::scan_tensors(tensors);
    model::Metadata metadata = {{"format", format},
                                {"format_version", format_version},
                                {"settings", Json(description.settings).dump()},
                                {"state", state_json(description).dump()}};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (scans[i].first_not_finite) {
            throw Error(ErrorKind::failed, path.string() + ": not written: " + tensors[i].name +
                                               " is no longer finite after step " +
                                               std::to_string(description.position.steps));
        }
        metadata.emplace_back(model::checksum_key(tensors[i].name), model::checksum_text(scans[i].sha256));
    }
    model::write_safetensors(path, metadata, tensors);
}

}  // namespace vgg19::converter
