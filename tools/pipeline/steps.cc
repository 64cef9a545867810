#include "tools/pipeline/steps.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string_view>
#include <system_error>
#include <utility>

#include "bench/exit_code.h"
#include "converter/data/image_files.h"
#include "engine/model/json_file.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"
#include "engine/model/sha256.h"
#include "engine/model/shell_text.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using model::Json;
using model::member;
using std::filesystem::path;

constexpr std::uint64_t log_schema_version = 1;

/// The files that data sets find, also in linked folders.
std::vector<path> files_of(const path& folder) {
    std::vector<path> files;
    const auto add = [&files](const converter::FolderContent& content) {
        files.insert(files.end(), content.images.begin(), content.images.end());
        files.insert(files.end(), content.others.begin(), content.others.end());
    };
    add(converter::files_in(folder));
    for (const path& inner : converter::folders_in(folder)) add(converter::files_below(inner));
    return files;
}

std::string folder_digest(const path& folder) {
    std::vector<std::string> lines;
    for (const path& file : files_of(folder)) {
        std::error_code broken;  // a broken link counts by its name
        const auto size = std::filesystem::file_size(file, broken);
        const auto time = std::filesystem::last_write_time(file, broken);
        lines.push_back(file.lexically_relative(folder).string() + '\n' + std::to_string(size) + '\n' +
                        std::to_string(time.time_since_epoch().count()) + '\n');
    }
    std::sort(lines.begin(), lines.end());
    model::Sha256 sum;
    for (const std::string& line : lines) sum.update(std::as_bytes(std::span(line)));
    return "folder:" + sum.hex_digest();
}

std::string digest_of(const path& path) {
    if (std::filesystem::is_directory(path)) return folder_digest(path);
    return "sha256:" + model::sha256_hex(model::MappedFile(path).bytes());
}

ErrorKind kind_of(int exit_code) {
    if (exit_code == exit_wrong_usage) return ErrorKind::usage;
    return exit_code == exit_bad_input ? ErrorKind::bad_input : ErrorKind::failed;
}

}  // namespace

std::string shell_word(const std::string& word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    const bool is_plain = !word.empty() && word.find_first_not_of(plain) == std::string::npos;
    return is_plain ? word : model::shell_quoted(word);
}

std::string command_text(const std::vector<std::string>& words) {
    std::string text = "vgg19";
    for (const std::string& word : words) text += ' ' + shell_word(word);
    return text;
}

StepLog::StepLog(path file, std::string program) : file_(std::move(file)), program_(std::move(program)) {
    if (std::filesystem::exists(file_)) read();
}

void StepLog::run(const Step& step, const RunStep& run_step) {
    Record wanted{step.words, {}, "", 0};
    for (const path& input : step.inputs) wanted.inputs[input.string()] = digest(input);
    if (is_done(step, wanted)) {
        say(step.id + ": done before");
        return;
    }
    const auto found = records_.find(step.id);
    const bool goes_on = found != records_.end() && found->second.command == wanted.command &&
                         found->second.inputs == wanted.inputs;
    if (!goes_on && !step.checkpoint.empty()) std::filesystem::remove(step.checkpoint);
    // A link points to a file that is not ours and must not be replaced.
    if (std::filesystem::is_symlink(step.output)) std::filesystem::remove(step.output);
    if (found == records_.end()) order_.push_back(step.id);
    records_[step.id] = wanted;
    write();

    say(step.id + ": " + command_text(step.words));
    const auto start = std::chrono::steady_clock::now();
    const int code = run_step(step);
    if (code != exit_done) {
        throw Error(kind_of(code),
                    "step " + step.id + " ended with exit code " + std::to_string(code) +
                        "; the steps before it stay done. It was: " + command_text(step.words));
    }
    wanted.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    digests_.erase(step.output.string());
    wanted.output_digest = digest(step.output);
    say(step.id + ": done in " + fixed(wanted.seconds, 1) + " s");
    records_[step.id] = std::move(wanted);
    write();
}

double StepLog::seconds(const std::string& id) const {
    return records_.at(id).seconds;
}

void StepLog::say(const std::string& line) const {
    std::cerr << program_ << ": " << line << std::endl;
}

bool StepLog::is_done(const Step& step, const Record& wanted) {
    const auto found = records_.find(step.id);
    if (found == records_.end()) return false;
    const Record& record = found->second;
    return record.command == wanted.command && record.inputs == wanted.inputs &&
           !record.output_digest.empty() && std::filesystem::exists(step.output) &&
           digest(step.output) == record.output_digest;
}

const std::string& StepLog::digest(const path& path) {
    const auto found = digests_.find(path.string());
    if (found != digests_.end()) return found->second;
    return digests_[path.string()] = digest_of(path);
}

void StepLog::read() {
    model::read_json_as(file_, [this](const Json& json) { read(json); });
}

void StepLog::read(const Json& json) {
    const std::string name = file_.string();
    const std::uint64_t version = member(json, "schema_version", name).size();
    if (version != log_schema_version) {
        throw Error(ErrorKind::bad_input, name + ": expected schema version " +
                                              std::to_string(log_schema_version) + ", found " +
                                              std::to_string(version));
    }
    for (const Json& step : member(json, "steps", name).array()) {
        Record record;
        for (const Json& word : member(step, "command", name).array()) {
            record.command.push_back(word.string());
        }
        for (const auto& [input, value] : member(step, "inputs", name).object()) {
            record.inputs[input] = value.string();
        }
        if (const Json* output = step.find("output_digest")) record.output_digest = output->string();
        record.seconds = member(step, "seconds", name).number();
        const std::string& id = member(step, "id", name).string();
        if (records_.emplace(id, std::move(record)).second) order_.push_back(id);
    }
}

void StepLog::write() const {
    Json::Array steps;
    for (const std::string& id : order_) {
        const Record& record = records_.at(id);
        Json step;
        step.set("id", id);
        step.set("command", Json::Array(record.command.begin(), record.command.end()));
        Json inputs{Json::Object{}};
        for (const auto& [input, value] : record.inputs) inputs.set(input, value);
        step.set("inputs", std::move(inputs));
        if (!record.output_digest.empty()) step.set("output_digest", record.output_digest);
        step.set("seconds", record.seconds);
        steps.push_back(std::move(step));
    }
    Json json;
    json.set("schema_version", log_schema_version);
    json.set("steps", std::move(steps));
    model::write_text_file(file_, json.dump(2) + '\n');
}

}  // namespace vgg19::tools
