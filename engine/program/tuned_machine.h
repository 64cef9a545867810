// Files with the constants of a CPU as `vgg19 tune` measured them, for the cost model and schedules.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "engine/model/json.h"
#include "kernels/schedule/machine.h"
#include "vgg19/session.h"

namespace vgg19 {

struct TunedMachine {
    std::string cpu;  ///< kernels::cpu_description() of the measured CPU
    int threads = 1;  ///< with which the bandwidth of all cores was measured
    kernels::Isa isa{};
    kernels::Machine machine;  ///< for kernels of `isa`
};

/// A machine's constants, under their names in the struct; bandwidths as "l2", "l3", "memory".
model::Json machine_json(const kernels::Machine& machine);

/// Writes JSON, atomically. Throws Error (failed).
void write_tuned_machine(const std::filesystem::path& path, const TunedMachine& tuned);

/// Throws Error (bad_input) that names the file and the field: for a file that is not such a file, of another
/// version, or with impossible values.
TunedMachine read_tuned_machine(const std::filesystem::path& path);

/// The same, for kernels of `isa`, with a file measured on this CPU: throws Error (bad_input) for another
/// CPU's. What belongs to an ISA other than the measured one is taken from the table, and the log is told.
std::shared_ptr<const kernels::Machine> tuned_for_this_cpu(const std::filesystem::path& path,
                                                           kernels::Isa isa, const Log& log = {});
std::shared_ptr<const kernels::Machine> machine_for(const TunedMachine& tuned, kernels::Isa isa);

/// Where `vgg19 tune` writes and the commands look: a file in the user's cache folder, named after this CPU,
/// since the folder may be shared by computers. Throws Error (failed) if there is no such folder.
std::filesystem::path usual_tuned_machine();

/// The file at the usual place.
struct FoundTunedMachine {
    std::filesystem::path path;  ///< empty if there is none that can be used
    std::string ignored;         ///< why a file that is there is not used; "" if there is none, or it is used
};
FoundTunedMachine find_tuned_machine();

}  // namespace vgg19
