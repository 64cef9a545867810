#include "engine/program/tuned_machine.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <span>
#include <system_error>

#include "engine/model/foreign_text.h"
#include "engine/model/json_file.h"
#include "engine/model/replacing_file.h"
#include "engine/model/users_cache.h"
#include "engine/program/plan_notes.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

using kernels::Bandwidth;
using kernels::Machine;
using model::Json;

constexpr const char* format_name = "vgg19 tuned machine";
/// Raised when a constant's meaning changes.
constexpr std::uint64_t format_version = 1;

constexpr double largest = 1e18;

/// Reads the members of a file's objects. Errors name the file and the member.
class Fields {
  public:
    Fields(const Json& json, std::string place) : json_(json), place_(std::move(place)) {}

    const Json& value(const char* key) const { return model::member(json_, key, place_); }
    Fields object(const char* key) const { return {value(key), place_ + ": " + key}; }

    std::string text(const char* key) const {
        if (!value(key).is_string()) fail(key, "a text", value(key));
        return value(key).string();
    }
    /// In [least, most].
    double number(const char* key, double least, double most) const {
        const Json& found = value(key);
        if (found.is_number() && found.number() >= least && found.number() <= most) return found.number();
        fail(key, "a number from " + Json(least).dump() + " to " + Json(most).dump(), found);
    }
    std::size_t whole(const char* key, double least, double most) const {
        const double found = number(key, least, most);
        if (found != std::floor(found)) fail(key, "a whole number", value(key));
        return static_cast<std::size_t>(found);
    }
    [[noreturn]] void fail(const char* key, const std::string& expected, const Json& found) const {
        std::string message = place_;
        message.append(": ").append(key).append(": expected ").append(expected);
        throw Error(ErrorKind::bad_input, message.append(", found ").append(model::printable(found.dump())));
    }

  private:
    const Json& json_;
    std::string place_;
};

constexpr const char* level_keys[] = {"l2", "l3", "memory"};

Json level_json(const Bandwidth& bandwidth, double write_factor) {
    Json json;
    json.set("core", bandwidth.core).set("cluster", bandwidth.cluster).set("all", bandwidth.all);
    json.set("write_factor", write_factor);
    return json;
}

Bandwidth bandwidth_of(const Fields& fields) {
    return {.core = fields.number("core", 1, largest),
            .cluster = fields.number("cluster", 0, largest),
            .all = fields.number("all", 0, largest)};
}

Machine machine_of(const Fields& fields) {
    constexpr double smallest_rate = 0.001;
    constexpr double largest_rate = 64;
    constexpr double most_cores = 1e6;
    constexpr double most_times = 100;
    const std::string name = fields.text("name");
    const bool printable = std::all_of(name.begin(), name.end(), [](char character) {
        return std::isprint(static_cast<unsigned char>(character)) != 0;
    });
    if (!printable) fields.fail("name", "printable characters", name);
    Machine machine = {.name = name,
                       .hertz = fields.number("hertz", 1e6, 1e12),
                       .multiply_adds = fields.number("multiply_adds", smallest_rate, largest_rate),
                       .dot_products = fields.number("dot_products", smallest_rate, largest_rate),
                       .vector_operations = fields.number("vector_operations", smallest_rate, largest_rate),
                       .l1_bytes = fields.whole("l1_bytes", 1, largest),
                       .l2_bytes = fields.whole("l2_bytes", 1, largest),
                       .l3_bytes = fields.whole("l3_bytes", 1, largest),
                       .cores_of_cluster = fields.whole("cores_of_cluster", 0, most_cores)};
    for (std::size_t level = 0; level < kernels::level_count; ++level) {
        const Fields of_level = fields.object(level_keys[level]);
        machine.bandwidth[level] = bandwidth_of(of_level);
        machine.write_factor[level] = of_level.number("write_factor", 1, most_times);
    }
    machine.barrier_seconds = fields.number("barrier_seconds", 0, 1);
    machine.not_hidden = fields.number("not_hidden", 0, 1);
    return machine;
}

/// Only letters, digits and dashes.
std::string file_name_of(const std::string& cpu) {
    std::string name;
    for (const char character : cpu) {
        const bool kept = std::isalnum(static_cast<unsigned char>(character)) != 0;
        if (kept) {
            name += character;
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    return name + ".json";
}

void require_this_cpu(const TunedMachine& tuned, const std::filesystem::path& path) {
    if (tuned.cpu == kernels::cpu_description()) return;
    throw Error(ErrorKind::bad_input, path.string() + ": expected the constants of this CPU, " +
                                          kernels::cpu_description() + ", found those of " +
                                          model::printable(tuned.cpu) + "; `vgg19 tune` measures this one");
}

}  // namespace

Json machine_json(const Machine& machine) {
    Json json;
    json.set("name", machine.name)
        .set("hertz", machine.hertz)
        .set("multiply_adds", machine.multiply_adds)
        .set("dot_products", machine.dot_products)
        .set("vector_operations", machine.vector_operations)
        .set("l1_bytes", std::uint64_t{machine.l1_bytes})
        .set("l2_bytes", std::uint64_t{machine.l2_bytes})
        .set("l3_bytes", std::uint64_t{machine.l3_bytes})
        .set("cores_of_cluster", std::uint64_t{machine.cores_of_cluster});
    for (std::size_t level = 0; level < kernels::level_count; ++level) {
        json.set(level_keys[level], level_json(machine.bandwidth[level], machine.write_factor[level]));
    }
    json.set("barrier_seconds", machine.barrier_seconds).set("not_hidden", machine.not_hidden);
    return json;
}

void write_tuned_machine(const std::filesystem::path& path, const TunedMachine& tuned) {
    Json json;
    json.set("format", format_name)
        .set("version", format_version)
        .set("cpu", tuned.cpu)
        .set("threads", tuned.threads)
        .set("isa", kernels::isa_name(tuned.isa))
        .set("machine", machine_json(tuned.machine));
    const std::string text = json.dump(2) + "\n";
    model::ReplacingFile file(path);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

TunedMachine read_tuned_machine(const std::filesystem::path& path) {
    const Json json = model::read_json(path);
    const Fields fields(json, path.string());
    const std::string format = fields.text("format");
    if (format != format_name) {
        fields.fail("format", "\"" + std::string(format_name) + "\", as `vgg19 tune` writes", format);
    }
    if (const Json& version = fields.value("version");
        !version.is_number() || version.number() != double{format_version}) {
        fields.fail("version", std::to_string(format_version) + " (`vgg19 tune` measures again)", version);
    }
    const std::string isa = fields.text("isa");
    const std::optional<kernels::Isa> known_isa = kernels::isa_from_name(isa);
    if (!known_isa) fields.fail("isa", "the name of an instruction set", isa);
    constexpr double most_threads = 1024;
    return {.cpu = fields.text("cpu"),
            .threads = static_cast<int>(fields.whole("threads", 1, most_threads)),
            .isa = *known_isa,
            .machine = machine_of(fields.object("machine"))};
}

std::shared_ptr<const kernels::Machine> machine_for(const TunedMachine& tuned, kernels::Isa isa) {
    auto machine = std::make_shared<Machine>(tuned.machine);
    if (isa == tuned.isa) return machine;
    std::optional<Machine> of_table = kernels::machine_named(tuned.machine.name, isa);
    if (!of_table) of_table = kernels::this_machine(isa);
    machine->multiply_adds = of_table->multiply_adds;
    machine->dot_products = of_table->dot_products;
    machine->vector_operations = of_table->vector_operations;
    return machine;
}

std::shared_ptr<const kernels::Machine> tuned_for_this_cpu(const std::filesystem::path& path,
                                                           kernels::Isa isa, const Log& log) {
    const TunedMachine tuned = read_tuned_machine(path);
    require_this_cpu(tuned, path);
    if (tuned.isa != isa) {
        tell(log, {{LogLevel::warning, path.string() + ": measured with " + kernels::isa_name(tuned.isa) +
                                           "; rates of arithmetic with " + kernels::isa_name(isa) +
                                           " are those of the table"}});
    }
    return machine_for(tuned, isa);
}

std::filesystem::path usual_tuned_machine() {
    return model::users_cache() / "tuned" / file_name_of(kernels::cpu_description());
}

FoundTunedMachine find_tuned_machine() {
    std::filesystem::path path;
    try {
        path = usual_tuned_machine();
    } catch (const Error&) {
        return {};  // no cache folder, so no file either
    }
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return {};
    try {
        const TunedMachine tuned = read_tuned_machine(path);
        require_this_cpu(tuned, path);
        if (tuned.isa != kernels::best_isa()) {
            return {.path = {},
                    .ignored = path.string() + ": measured with " + kernels::isa_name(tuned.isa) +
                               ", not with the best that this CPU supports, " +
                               kernels::isa_name(kernels::best_isa())};
        }
        return {.path = path, .ignored = ""};
    } catch (const Error& error) {
        return {.path = {}, .ignored = error.what()};
    }
}

}  // namespace vgg19
