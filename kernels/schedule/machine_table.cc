// The table of microarchitectures.
//
// Where figures come from:
//   instructions per cycle  the vendors' optimisation guides; Zen 4 executes 512-bit instructions in two
//                           halves, Zen 5 (but for laptops) whole (numberworld.org, "Zen5's AVX512 Teardown")
//   hertz, read bandwidth   measured on two cores of virtual machines, by `vgg19 sysinfo` or like it: Zen 4,
//                           Zen 5, and an Emerald Rapids, whose L3 cache gives a core no more than memory
//                           does (chipsandcheese.com, "A Peek at Sapphire Rapids", found the same kind)
//   cluster                 what a chiplet's eight cores read over its link: 32 bytes a cycle of the fabric,
//                           1.8 GHz for Zen 4 (chipsandcheese.com, "AMD's Ryzen 9950X: Zen 5 on Desktop")
//   all                     four fifths of what the memory channels of a large server CPU could transfer:
//                           Zen 4 12 × DDR5-4800, Zen 5 12 × DDR5-6000, Golden Cove 8 × DDR5-5600, Ice Lake
//                           8 × DDR4-3200, Skylake 6 × DDR4-2933
//   write_factor            how long a Winograd transform takes for a line, prefetched for writing
//   not_hidden, operations  fitted on Zen 5, to schedules timed as in a network (docs/cost-model.md); on
//                           others they are estimates: more overlaps where 512-bit instructions take two
//                           cycles
// Others are estimates from those.
#include <algorithm>
#include <array>
#include <string>

#include "kernels/schedule/machine.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t kib = std::size_t{1} << 10U;
constexpr std::size_t mib = std::size_t{1} << 20U;
constexpr double giga = 1e9;

/// Per cycle. All zero where a microarchitecture lacks the ISA.
struct Rates {
    double multiply_adds = 0;
    double dot_products = 0;
    double vector_operations = 0;
};

/// Rates for kernels of each ISA, in its order of enumeration.
using RatesOfIsas = std::array<Rates, isa_count>;

// Vector::dot4 takes four instructions with AVX2 and AVX-512 alone; with NEON's `sdot` six, of half a Vector
// each; without, two dozen. Without the ISAs' flags, compilers use 128-bit registers and no fused
// multiply-add.
constexpr Rates none{};
constexpr Rates portable = {0.7, 0.1, 1};
constexpr Rates avx2 = {2, 0.6, 1.8};
constexpr Rates avx2vnni = {2, 2, 1.8};

struct Row {
    std::string_view name;
    double hertz = 0;
    std::size_t l1_bytes = 0;
    std::size_t l2_bytes = 0;
    std::size_t l3_bytes = 0;
    std::size_t cores_of_cluster = 0;
    Bandwidth l2;
    Bandwidth l3;
    Bandwidth memory;
    std::array<double, level_count> write_factor = {2, 4, 4};
    double not_hidden = 0;
    Isa best_isa{};
    RatesOfIsas rates{};
};

constexpr double barrier_seconds = 0.7e-6;  // of threads that are awake, on Zen 5
constexpr double usually_not_hidden = 0.3;

constexpr std::array rows = {
    Row{.name = "zen4",
        .hertz = 3.75e9,
        .l1_bytes = 32 * kib,
        .l2_bytes = 1 * mib,
        .l3_bytes = 32 * mib,
        .cores_of_cluster = 8,
        .l2 = {.core = 100 * giga},
        .l3 = {.core = 80 * giga, .cluster = 480 * giga},
        .memory = {.core = 33 * giga, .cluster = 57 * giga, .all = 370 * giga},
        .not_hidden = 0.2,
        .best_isa = Isa::avx512vnni,
        .rates = {portable, avx2, none, Rates{1, 0.4, 1}, Rates{1, 1, 1}, none, none}},
    Row{.name = "zen5",
        .hertz = 4.15e9,
        .l1_bytes = 48 * kib,
        .l2_bytes = 1 * mib,
        .l3_bytes = 32 * mib,
        .cores_of_cluster = 8,
        .l2 = {.core = 260 * giga},
        .l3 = {.core = 115 * giga, .cluster = 700 * giga},
        .memory = {.core = 40 * giga, .cluster = 55 * giga, .all = 460 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::avx512vnni,
        .rates = {portable, avx2, avx2vnni, Rates{2, 0.6, 2.3}, Rates{2, 2, 2.3}, none, none}},
    Row{.name = "zen5_mobile",  // 512-bit instructions in two halves, like Zen 4
        .hertz = 4e9,
        .l1_bytes = 48 * kib,
        .l2_bytes = 1 * mib,
        .l3_bytes = 16 * mib,
        .cores_of_cluster = 4,
        .l2 = {.core = 110 * giga},
        .l3 = {.core = 80 * giga, .cluster = 240 * giga},
        .memory = {.core = 40 * giga, .cluster = 60 * giga, .all = 90 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::avx512vnni,
        .rates = {portable, avx2, avx2vnni, Rates{1, 0.4, 1}, Rates{1, 1, 1}, none, none}},
    Row{.name = "golden_cove",  // Sapphire, Emerald and Granite Rapids
        .hertz = 2.8e9,
        .l1_bytes = 48 * kib,
        .l2_bytes = 2 * mib,
        .l3_bytes = 105 * mib,
        .cores_of_cluster = 0,
        .l2 = {.core = 110 * giga},
        .l3 = {.core = 14 * giga, .all = 700 * giga},
        .memory = {.core = 14 * giga, .all = 285 * giga},
        .write_factor = {4.5, 4, 4},  // 7 cycles a line in L2
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::avx512vnni,
        .rates = {portable, avx2, avx2vnni, Rates{2, 0.5, 1.3}, Rates{2, 2, 1.3}, none, none}},
    Row{.name = "golden_cove_client",  // Alder Lake, Raptor Lake and Meteor Lake, their fast cores
        .hertz = 4.6e9,
        .l1_bytes = 48 * kib,
        .l2_bytes = 1280 * kib,
        .l3_bytes = 24 * mib,
        .cores_of_cluster = 0,
        .l2 = {.core = 200 * giga},
        .l3 = {.core = 80 * giga, .all = 400 * giga},
        .memory = {.core = 35 * giga, .all = 65 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::avx2vnni,
        .rates = {portable, avx2, avx2vnni, none, none, none, none}},
    Row{.name = "ice_lake",  // Ice Lake, Tiger Lake, Rocket Lake
        .hertz = 2.8e9,
        .l1_bytes = 48 * kib,
        .l2_bytes = 1280 * kib,
        .l3_bytes = 54 * mib,
        .cores_of_cluster = 0,
        .l2 = {.core = 110 * giga},
        .l3 = {.core = 20 * giga, .all = 600 * giga},
        .memory = {.core = 13 * giga, .all = 164 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::avx512vnni,
        .rates = {portable, avx2, none, Rates{2, 0.5, 1.3}, Rates{2, 2, 1.3}, none, none}},
    Row{.name = "skylake_server",  // Skylake, Cascade Lake and Cooper Lake
        .hertz = 2.6e9,
        .l1_bytes = 32 * kib,
        .l2_bytes = 1 * mib,
        .l3_bytes = 36 * mib,
        .cores_of_cluster = 0,
        .l2 = {.core = 100 * giga},
        .l3 = {.core = 18 * giga, .all = 400 * giga},
        .memory = {.core = 12 * giga, .all = 112 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::avx512vnni,
        .rates = {portable, avx2, none, Rates{2, 0.5, 1.3}, Rates{2, 2, 1.3}, none, none}},
    Row{.name = "avx2",  // any with AVX2 and two multiply-adds a cycle
        .hertz = 3.2e9,
        .l1_bytes = 32 * kib,
        .l2_bytes = 512 * kib,
        .l3_bytes = 16 * mib,
        .cores_of_cluster = 0,
        .l2 = {.core = 80 * giga},
        .l3 = {.core = 40 * giga, .all = 200 * giga},
        .memory = {.core = 16 * giga, .all = 45 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::avx2,
        .rates = {portable, avx2, avx2vnni, none, none, none, none}},
    Row{.name = "neon",  // any AArch64 with two 128-bit multiply-adds a cycle
        .hertz = 2.6e9,
        .l1_bytes = 64 * kib,
        .l2_bytes = 1 * mib,
        .l3_bytes = 32 * mib,
        .cores_of_cluster = 0,
        .l2 = {.core = 65 * giga},
        .l3 = {.core = 25 * giga, .all = 400 * giga},
        .memory = {.core = 18 * giga, .all = 160 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::neon_dotprod,
        .rates = {Rates{1, 0.1, 1}, none, none, none, none, Rates{1, 0.1, 1.3}, Rates{1, 0.33, 1.3}}},
    Row{.name = "portable",  // any other
        .hertz = 2.5e9,
        .l1_bytes = 32 * kib,
        .l2_bytes = 512 * kib,
        .l3_bytes = 8 * mib,
        .cores_of_cluster = 0,
        .l2 = {.core = 40 * giga},
        .l3 = {.core = 20 * giga, .all = 80 * giga},
        .memory = {.core = 10 * giga, .all = 30 * giga},
        .not_hidden = usually_not_hidden,
        .best_isa = Isa::portable,
        .rates = {portable, none, none, none, none, none, none}},
};

constexpr auto names = [] {
    std::array<std::string_view, rows.size()> list{};
    for (std::size_t i = 0; i < rows.size(); ++i) list[i] = rows[i].name;
    return list;
}();

const Row* row_named(std::string_view name) {
    const auto* found =
        std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
    return found == rows.end() ? nullptr : found;
}

const Rates& rates_of(const Row& row, Isa isa) {
    return row.rates[static_cast<std::size_t>(isa)];
}

}  // namespace

std::span<const std::string_view> machine_names() {
    return names;
}

std::optional<Machine> machine_named(std::string_view name, Isa isa) {
    const Row* const row = row_named(name);
    if (row == nullptr || rates_of(*row, isa).multiply_adds == 0) return std::nullopt;
    const Rates& rates = rates_of(*row, isa);
    return Machine{.name = std::string(name),
                   .hertz = row->hertz,
                   .multiply_adds = rates.multiply_adds,
                   .dot_products = rates.dot_products,
                   .vector_operations = rates.vector_operations,
                   .l1_bytes = row->l1_bytes,
                   .l2_bytes = row->l2_bytes,
                   .l3_bytes = row->l3_bytes,
                   .cores_of_cluster = row->cores_of_cluster,
                   .bandwidth = {row->l2, row->l3, row->memory},
                   .write_factor = {row->write_factor[0], row->write_factor[1], row->write_factor[2]},
                   .barrier_seconds = barrier_seconds,
                   .not_hidden = row->not_hidden};
}

std::optional<Isa> best_isa_of(std::string_view machine_name) {
    const Row* const row = row_named(machine_name);
    return row == nullptr ? std::nullopt : std::optional(row->best_isa);
}

}  // namespace vgg19::kernels
