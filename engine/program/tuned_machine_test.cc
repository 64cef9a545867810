#include "engine/program/tuned_machine.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "engine/program/plan.h"
#include "engine/testing/environment_variable.h"
#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

namespace vgg19 {

namespace {

using kernels::Level;
using testing::TemporaryFolder;

TunedMachine some_machine() {
    kernels::Machine machine = kernels::this_machine(kernels::best_isa());
    machine.hertz = 3.25e9;
    machine.not_hidden = 0.375;
    machine.write_factor[1] = 3.5;
    machine.read(Level::memory) = {.core = 11e9, .cluster = 0, .all = 17.5e9};
    return {.cpu = kernels::cpu_description(), .threads = 3, .isa = kernels::best_isa(), .machine = machine};
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What is wrong with the file after a change of its text.
std::string error_after(const TemporaryFolder& folder, const std::string& from, const std::string& to) {
    const std::filesystem::path path = folder.path() / "changed.json";
    write_tuned_machine(path, some_machine());
    std::string text = text_of(path);
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    std::ofstream(path) << text.replace(at, from.size(), to);
    const std::string message = testing::error_of(ErrorKind::bad_input, [&] { read_tuned_machine(path); });
    CHECK(message.find("changed.json") != std::string::npos);
    return message;
}

}  // namespace

TEST_CASE("a tuned machine reads back as it was written") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path() / "tuned.json";
    const TunedMachine written = some_machine();
    write_tuned_machine(path, written);
    const TunedMachine read = read_tuned_machine(path);
    CHECK(read.cpu == written.cpu);
    CHECK(read.threads == 3);
    CHECK(read.isa == written.isa);
    CHECK(read.machine.name == written.machine.name);
    CHECK(read.machine.hertz == 3.25e9);
    CHECK(read.machine.multiply_adds == written.machine.multiply_adds);
    CHECK(read.machine.dot_products == written.machine.dot_products);
    CHECK(read.machine.vector_operations == written.machine.vector_operations);
    CHECK(read.machine.l1_bytes == written.machine.l1_bytes);
    CHECK(read.machine.l2_bytes == written.machine.l2_bytes);
    CHECK(read.machine.l3_bytes == written.machine.l3_bytes);
    CHECK(read.machine.cores_of_cluster == written.machine.cores_of_cluster);
    for (std::size_t level = 0; level < kernels::level_count; ++level) {
        CHECK(read.machine.bandwidth[level].core == written.machine.bandwidth[level].core);
        CHECK(read.machine.bandwidth[level].cluster == written.machine.bandwidth[level].cluster);
        CHECK(read.machine.write_factor[level] == written.machine.write_factor[level]);
        CHECK(read.machine.bandwidth[level].all == written.machine.bandwidth[level].all);
    }
    CHECK(read.machine.barrier_seconds == written.machine.barrier_seconds);
    CHECK(read.machine.not_hidden == 0.375);
}

TEST_CASE("errors in a tuned machine's file name the file and the field") {
    const TemporaryFolder folder;
    CHECK(error_after(folder, "vgg19 tuned machine", "a cake") == testing::Containing("format"));
    CHECK(error_after(folder, "\"version\": 1", "\"version\": 999") == testing::Containing("version"));
    CHECK(error_after(folder, "\"version\": 1", "\"version\": \"1\"") == testing::Containing("version"));
    CHECK(error_after(folder, "\"threads\": 3", "\"threads\": 0") == testing::Containing("threads"));
    CHECK(error_after(folder, "\"threads\": 3", "\"threads\": 1.5") == testing::Containing("threads"));
    CHECK(error_after(folder, "\"isa\": \"", "\"isa\": \"no_") == testing::Containing("isa"));
    CHECK(error_after(folder, "\"name\": \"", "\"name\": \"\\u001b[31m") == testing::Containing("name"));
    CHECK(error_after(folder, "\"hertz\": ", "\"hertz\": -") == testing::Containing("machine: hertz"));
    CHECK(error_after(folder, "\"hertz\"", "\"Hertz\"") == testing::Containing("\"hertz\""));
    CHECK(error_after(folder, "0.375", "null") == testing::Containing("not_hidden"));
    CHECK(error_after(folder, "0.375", "2") == testing::Containing("not_hidden"));
    TunedMachine unreadable = some_machine();
    unreadable.machine.read(Level::memory).core = 0;
    write_tuned_machine(folder / "unreadable.json", unreadable);
    CHECK(testing::error_of(ErrorKind::bad_input, [&] { read_tuned_machine(folder / "unreadable.json"); }) ==
          testing::Containing("unreadable.json: machine: memory: core"));
    CHECK(error_after(folder, "\"memory\"", "\"memories\"") == testing::Containing("\"memory\""));
    CHECK(error_after(folder, "{", "[") == testing::Containing("byte"));
}

TEST_CASE("a session's plan_file must be of this CPU, and its machine plans the session") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path() / "tuned.json";
    TunedMachine tuned = some_machine();
    write_tuned_machine(path, tuned);
    const auto plan = [&](const std::string& isa) {
        return make_plan(model::Network::vgg(19), Preprocessing{}, {.isa = isa, .plan_file = path.string()});
    };
    CHECK(plan(kernels::isa_name(tuned.isa)).execution.cpu().hertz == 3.25e9);
    // Of another ISA, the rates are those of the table.
    const kernels::Machine portable = plan("portable").execution.cpu();
    CHECK(portable.hertz == 3.25e9);
    CHECK(portable.multiply_adds ==
          kernels::machine_named(tuned.machine.name, kernels::Isa::portable)->multiply_adds);

    tuned.cpu = "another CPU";
    write_tuned_machine(path, tuned);
    const std::string message = testing::error_of(ErrorKind::bad_input, [&] { plan("portable"); });
    CHECK(message == testing::Containing("another CPU"));
    CHECK(message == testing::Containing(kernels::cpu_description()));
    testing::error_of(ErrorKind::bad_input, [] {
        make_plan(model::Network::vgg(19), Preprocessing{}, {.plan_file = "/no/such/file"});
    });
}

TEST_CASE("the usual file is used when it is of this CPU, and otherwise named with the reason") {
    const TemporaryFolder folder;
    const testing::EnvironmentVariable cache("XDG_CACHE_HOME", folder.path().string());
    CHECK(find_tuned_machine().path.empty());
    CHECK(find_tuned_machine().ignored.empty());

    const std::filesystem::path path = usual_tuned_machine();
    CHECK(path.string().rfind(folder.path().string(), 0) == 0);
    std::filesystem::create_directories(path.parent_path());
    TunedMachine tuned = some_machine();
    write_tuned_machine(path, tuned);
    CHECK(find_tuned_machine().path == path);
    CHECK(find_tuned_machine().ignored.empty());
    // The library does not look for it.
    CHECK(make_plan(model::Network::vgg(19), Preprocessing{}, {}).execution.machine == nullptr);

    // Bandwidths that slower instructions reach would mislead the others.
    if (kernels::best_isa() != kernels::Isa::portable) {
        tuned.isa = kernels::Isa::portable;
        write_tuned_machine(path, tuned);
        CHECK(find_tuned_machine().path.empty());
        CHECK(find_tuned_machine().ignored == testing::Containing("measured with portable"));
    }
    tuned.cpu = "another CPU";
    write_tuned_machine(path, tuned);
    CHECK(find_tuned_machine().path.empty());
    CHECK(find_tuned_machine().ignored == testing::Containing("another CPU"));
    std::ofstream(path) << "{}";
    CHECK(find_tuned_machine().path.empty());
    CHECK(find_tuned_machine().ignored == testing::Containing(path.string()));

    const testing::EnvironmentVariable no_cache("XDG_CACHE_HOME", "");
    const testing::EnvironmentVariable no_home("HOME", "");
    CHECK(find_tuned_machine().path.empty());
    CHECK(find_tuned_machine().ignored.empty());
}

}  // namespace vgg19
