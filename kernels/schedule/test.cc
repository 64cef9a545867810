#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "kernels/schedule/machine.h"

namespace vgg19::kernels {

namespace {

/// Two tasks' worth of arithmetic to a second, and a byte a second from each level.
Machine simple_machine() {
    Machine machine{.name = "simple", .hertz = 1, .multiply_adds = 1, .cores_of_cluster = 4};
    for (Bandwidth& bandwidth : machine.bandwidth) bandwidth = {.core = 1, .cluster = 2, .all = 3};
    return machine;
}

double seconds_of(const Machine& machine, const Phase& phase, int threads) {
    return expected_seconds(machine, {&phase, 1}, threads);
}

}  // namespace

TEST_CASE("the thread with most tasks determines the time of arithmetic") {
    const Machine machine = simple_machine();
    const Phase phase = {.tasks = 6, .cycles = 60};
    CHECK(seconds_of(machine, phase, 1) == 60);
    CHECK(seconds_of(machine, phase, 2) == 30);
    CHECK(seconds_of(machine, phase, 4) == 20);
    CHECK(seconds_of(machine, phase, 5) == 20);
    CHECK(seconds_of(machine, phase, 6) == 10);
    CHECK(seconds_of(machine, phase, 64) == 10);
}

TEST_CASE("bytes are limited by a core, by the cores that share a cache, and by all cores") {
    const Machine machine = simple_machine();
    for (const Level level : {Level::l2, Level::l3, Level::memory}) {
        Phase phase = {.tasks = 64};
        phase.read(level) = 64;
        CHECK(seconds_of(machine, phase, 1) == 64);  // a core
        CHECK(seconds_of(machine, phase, 2) == 32);
        CHECK(seconds_of(machine, phase, 4) == 32);                        // one cluster
        CHECK(seconds_of(machine, phase, 8) == doctest::Approx(64. / 3));  // two could give 4, all give 3
        CHECK(std::string(expected_time(machine, {&phase, 1}, 8).limit()) == level_name(level));
    }
}

TEST_CASE("no limit is not a limit of zero") {
    Machine machine = simple_machine();
    machine.read(Level::l2) = {.core = 1};
    Phase phase = {.tasks = 64};
    phase.read(Level::l2) = 64;
    CHECK(seconds_of(machine, phase, 64) == 1);
}

TEST_CASE("the slowest resource counts, and of the others a part; phases follow each other") {
    Machine machine = simple_machine();
    machine.not_hidden = 0.25;
    Phase arithmetic = {.tasks = 1, .cycles = 8};
    arithmetic.read(Level::l3) = 4;
    Phase memory = {.tasks = 1, .cycles = 2};
    memory.read(Level::memory) = 12;
    CHECK(seconds_of(machine, arithmetic, 1) == 9);
    CHECK(seconds_of(machine, memory, 1) == 12.5);
    const Phase both[] = {arithmetic, memory};
    const ExpectedTime time = expected_time(machine, both, 1);
    CHECK(time.seconds == 21.5);
    CHECK(time.arithmetic_seconds == 10);
    CHECK(std::string(time.limit()) == "memory");
    CHECK(expected_seconds(machine, {}, 4) == 0);
}

TEST_CASE("a barrier costs nothing on one thread, and more for more threads") {
    Machine machine = simple_machine();
    machine.barrier_seconds = 1;
    const Phase phase = {.tasks = 64, .cycles = 64};
    CHECK(seconds_of(machine, phase, 1) == 64);
    CHECK(seconds_of(machine, phase, 2) == 33);
    CHECK(seconds_of(machine, phase, 64) == 7);
    CHECK(std::string(expected_time(machine, {&phase, 1}, 64).limit()) == "barrier");
}

TEST_CASE("clusters are filled one after the other") {
    Machine machine = simple_machine();
    CHECK(machine.clusters(1) == 1);
    CHECK(machine.clusters(4) == 1);
    CHECK(machine.clusters(5) == 2);
    CHECK(machine.clusters(64) == 16);
    machine.cores_of_cluster = 0;
    CHECK(machine.clusters(64) == 1);
}

TEST_CASE("data stays in the nearest level of which it takes no more than half") {
    Machine machine = simple_machine();
    machine.l2_bytes = 100;
    machine.l3_bytes = 1000;
    CHECK(machine.home(50) == Level::l2);
    CHECK(machine.home(51) == Level::l3);
    CHECK(machine.home(500) == Level::l3);
    CHECK(machine.home(501) == Level::memory);
}

TEST_CASE("every microarchitecture has sensible figures for the ISAs that it has") {
    const std::set<std::string_view> names(machine_names().begin(), machine_names().end());
    CHECK(names.size() == machine_names().size());
    for (const std::string_view name : machine_names()) {
        CAPTURE(std::string(name));
        REQUIRE(best_isa_of(name).has_value());
        REQUIRE(machine_named(name, *best_isa_of(name)).has_value());
        REQUIRE(machine_named(name, Isa::portable).has_value());
        for (const Isa isa : all_isas()) {
            const std::optional<Machine> machine = machine_named(name, isa);
            if (runs(*best_isa_of(name), isa)) CHECK(machine.has_value());
            if (!machine) continue;
            CHECK(machine->name == name);
            CHECK(machine->hertz > 1e9);
            CHECK(machine->multiply_adds > 0);
            CHECK(machine->multiply_adds <= 2);
            CHECK(machine->dot_products > 0);
            CHECK(machine->dot_products <= 2);
            CHECK(machine->vector_operations >= 1);
            CHECK(machine->l1_bytes < machine->l2_bytes);
            CHECK(machine->l2_bytes < machine->l3_bytes);
            CHECK(machine->read(Level::l2).core > machine->read(Level::l3).core);
            CHECK(machine->read(Level::l3).core >= machine->read(Level::memory).core);
            for (const Bandwidth& bandwidth : machine->bandwidth) {
                CHECK(bandwidth.core > 1e9);
                if (bandwidth.cluster > 0) CHECK(bandwidth.cluster > bandwidth.core);
                if (bandwidth.all > 0) CHECK(bandwidth.all > bandwidth.core);
                if (bandwidth.all > 0 && bandwidth.cluster > 0) CHECK(bandwidth.all > bandwidth.cluster);
            }
            CHECK(machine->read(Level::memory).all > 0);
            for (const double factor : machine->write_factor) CHECK(factor >= 1);
            CHECK(machine->not_hidden > 0);
            CHECK(machine->not_hidden < 1);
            CHECK(machine->barrier_seconds > 0);
        }
    }
    CHECK(!machine_named("zen9", Isa::portable).has_value());
    CHECK(!best_isa_of("zen9").has_value());
    CHECK(!machine_named("zen4", Isa::neon).has_value());
}

TEST_CASE("on every microarchitecture more threads take longer only by their barrier") {
    for (const std::string_view name : machine_names()) {
        CAPTURE(std::string(name));
        Machine machine = *machine_named(name, *best_isa_of(name));
        machine.barrier_seconds = 0;
        Phase phase = {.tasks = 210, .cycles = 1e9};
        for (double& bytes : phase.bytes) bytes = 1e9;
        double before = seconds_of(machine, phase, 1);
        for (int threads = 2; threads <= 256; ++threads) {
            const double now = seconds_of(machine, phase, threads);
            CHECK(now <= before);
            CHECK(parallel_efficiency(seconds_of(machine, phase, 1), now, threads) <= 1 + 1e-12);
            before = now;
        }
    }
}

TEST_CASE("CPUID's family and model tell the microarchitecture") {
    constexpr const char* amd = "AuthenticAMD";
    constexpr const char* intel = "GenuineIntel";
    CHECK(x86_microarchitecture(amd, 0x19, 0x11) == "zen4");               // Genoa
    CHECK(x86_microarchitecture(amd, 0x19, 0x61) == "zen4");               // Raphael
    CHECK(x86_microarchitecture(amd, 0x19, 0xa0) == "zen4");               // Bergamo
    CHECK(x86_microarchitecture(amd, 0x19, 0x01) == "avx2");               // Milan
    CHECK(x86_microarchitecture(amd, 0x19, 0x50) == "avx2");               // Cezanne
    CHECK(x86_microarchitecture(amd, 0x17, 0x31) == "avx2");               // Rome
    CHECK(x86_microarchitecture(amd, 0x1a, 0x02) == "zen5");               // Turin
    CHECK(x86_microarchitecture(amd, 0x1a, 0x11) == "zen5");               // Turin Dense
    CHECK(x86_microarchitecture(amd, 0x1a, 0x44) == "zen5");               // Granite Ridge
    CHECK(x86_microarchitecture(amd, 0x1a, 0x24) == "zen5_mobile");        // Strix Point
    CHECK(x86_microarchitecture(intel, 6, 0x8f) == "golden_cove");         // Sapphire Rapids
    CHECK(x86_microarchitecture(intel, 6, 0xcf) == "golden_cove");         // Emerald Rapids
    CHECK(x86_microarchitecture(intel, 6, 0xad) == "golden_cove");         // Granite Rapids
    CHECK(x86_microarchitecture(intel, 6, 0x97) == "golden_cove_client");  // Alder Lake
    CHECK(x86_microarchitecture(intel, 6, 0x6a) == "ice_lake");
    CHECK(x86_microarchitecture(intel, 6, 0x55) == "skylake_server");  // also Cascade Lake
    CHECK(x86_microarchitecture(intel, 6, 0x3c).empty());              // Haswell
    CHECK(x86_microarchitecture(intel, 15, 0x8f).empty());
    CHECK(x86_microarchitecture("HygonGenuine", 0x18, 0).empty());
}

TEST_CASE("this CPU is described, always by the same text") {
    CHECK(!cpu_description().empty());
    CHECK(&cpu_description() == &cpu_description());
    if (cpu_supports(Isa::avx2)) CHECK(cpu_description().find(" family ") != std::string::npos);
}

TEST_CASE("this CPU has figures for every ISA that it supports") {
    for (const Isa isa : all_isas()) {
        if (!cpu_supports(isa)) continue;
        const Machine& machine = this_machine(isa);
        CHECK(&machine == &this_machine(isa));
        CHECK(machine.multiply_adds > 0);
        CHECK(machine.l2_bytes > 0);
        CHECK(std::find(machine_names().begin(), machine_names().end(), machine.name) !=
              machine_names().end());
    }
}

}  // namespace vgg19::kernels
