#include "tests/command_line/tool.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>

#include "engine/model/safetensors.h"

namespace vgg19::testing {

namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (std::string& string : strings) result.push_back(string.data());
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
    // If a variable occurs twice, the first one counts.
    std::vector<std::string> all = more;
    for (char** variable = environ; *variable != nullptr; ++variable) all.emplace_back(*variable);
    return all;
}

Outcome run_process(std::vector<std::string> command, const std::vector<std::string>& environment) {
    const TemporaryFolder folder;
    const std::string output = folder / "output";
    const std::string errors = folder / "errors";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT, 0600);

    std::vector<std::string> variables = environment_with(environment);
    pid_t child = 0;
    const int failure = posix_spawn(&child, command.front().c_str(), &actions, nullptr,
                                    pointers(command).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) throw std::system_error(failure, std::generic_category(), command.front());

    int status = 0;
    waitpid(child, &status, 0);
    Outcome outcome;
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.output = read_file(output);
    outcome.errors = read_file(errors);
    return outcome;
}

void append_number(std::string& bytes, std::size_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}

/// `prefix` is followed by the program and its arguments.
Outcome run_in_shell(const std::string& prefix, const Arguments& arguments) {
    std::vector<std::string> command = {"/bin/sh", "-c", prefix + " \"$0\" \"$@\"", VGG19_TOOL};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_process(command, {});
}

}  // namespace

Outcome run_tool(const Arguments& arguments, const std::vector<std::string>& environment) {
    std::vector<std::string> command = {VGG19_TOOL};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_process(command, environment);
}

Outcome run_tool_with_input(const Arguments& arguments, const std::filesystem::path& input) {
    return run_in_shell("cat '" + input.string() + "' |", arguments);
}

Outcome run_tool_on_small_disk(const Arguments& arguments, int kilobytes) {
    // POSIX counts ulimit's blocks in units of 512 bytes.
    return run_in_shell("ulimit -f " + std::to_string(2 * kilobytes) + "; exec", arguments);
}

Outcome run_tool_with_signal(const Arguments& arguments, const std::string& signal, double seconds) {
    return run_in_shell("exec timeout --preserve-status -s " + signal + ' ' + std::to_string(seconds),
                        arguments);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::filesystem::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
}

std::size_t files_in(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

void write_state_dict(const std::filesystem::path& path, std::size_t classes) {
    kernels::testing::Random random;
    const RandomTensors tensors = random_tensors(narrow_network(classes), random);
    model::write_safetensors(path, {}, tensors.tensors);
}

void convert_state_dict(const std::filesystem::path& model, std::size_t classes) {
    const std::filesystem::path weights = model.string() + ".weights";
    write_state_dict(weights, classes);
    const Outcome outcome = run_tool({"convert", weights, "-o", model});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    std::filesystem::remove(weights);
}

void write_image(const std::filesystem::path& path, std::size_t width, std::size_t height) {
    constexpr std::size_t header_bytes = 54;
    const std::size_t row_bytes = (width * 3 + 3) / 4 * 4;
    std::string bytes = "BM";
    append_number(bytes, header_bytes + row_bytes * height, 4);
    append_number(bytes, 0, 4);
    append_number(bytes, header_bytes, 4);
    append_number(bytes, 40, 4);  // the size of the header, from this field on
    append_number(bytes, width, 4);
    append_number(bytes, height, 4);
    append_number(bytes, 1, 2);   // planes
    append_number(bytes, 24, 2);  // bits per pixel
    append_number(bytes, 0, 4);   // no compression
    append_number(bytes, row_bytes * height, 4);
    for (int i = 0; i < 4; ++i) append_number(bytes, 0, 4);
    for (std::size_t y = 0; y < height; ++y) {
        for (std::size_t x = 0; x < width; ++x) append_number(bytes, x * 5 + y * 3 * 256 + x * y * 65536, 3);
        bytes.append(row_bytes - width * 3, '\0');
    }
    write_file(path, bytes);
}

std::string cifar_records(std::size_t count, std::size_t first) {
    std::string bytes;
    for (std::size_t i = first * 3073; i < (first + count) * 3073; ++i) {
        const std::size_t noise = i * i / 7 + i * 31;
        bytes += static_cast<char>(i % 3073 == 0 ? i / 3073 % 10 : noise % 256);
    }
    return bytes;
}

void write_tensor(const std::filesystem::path& path, const std::string& name,
                  const std::vector<std::size_t>& shape, const std::vector<float>& values) {
    const model::Tensor tensor{name, model::DType::f32, shape, std::as_bytes(std::span(values))};
    model::write_safetensors(path, {}, {&tensor, 1});
}

}  // namespace vgg19::testing
