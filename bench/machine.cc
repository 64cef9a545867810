#include "bench/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "engine/program/plan.h"
#include "kernels/common/parallel.h"
#include "kernels/onednn/conv_onednn.h"

namespace vgg19::bench {

namespace {

constexpr const char* unknown = "unknown";

std::string trimmed(std::string_view text, std::string_view unwanted = " \t\"\n") {
    const std::size_t begin = text.find_first_not_of(unwanted);
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(unwanted) - begin + 1));
}

/// The value of the first line "KEY <separator> VALUE"; "" if there is none.
std::string field(const std::filesystem::path& path, std::string_view key, char separator) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::size_t at = line.find(separator);
        if (at != std::string::npos && trimmed(std::string_view(line).substr(0, at)) == key) {
            return trimmed(std::string_view(line).substr(at + 1));
        }
    }
    return {};
}

std::string or_unknown(std::string text) {
    return text.empty() ? unknown : std::move(text);
}

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return trimmed(line);
}

std::uint64_t leading_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// The number of CPUs in a list: "0-3,8" is five.
int cpus_in_list(std::string_view list) {
    int cpus = 0;
    while (!list.empty()) {
        const std::string_view range = list.substr(0, list.find(','));
        const std::size_t dash = range.find('-');
        const std::uint64_t first = leading_number(range);
        const std::uint64_t last =
            dash == std::string_view::npos ? first : leading_number(range.substr(dash + 1));
        cpus += static_cast<int>(last - std::min(first, last) + 1);
        list.remove_prefix(std::min(range.size() + 1, list.size()));
    }
    return std::max(cpus, 1);
}

std::vector<Cache> caches_from_sysfs() {
    std::vector<Cache> caches;
    const std::filesystem::path folder = "/sys/devices/system/cpu/cpu0/cache";
    for (int index = 0;; ++index) {
        const std::filesystem::path cache = folder / ("index" + std::to_string(index));
        const std::string level = first_line(cache / "level");
        if (level.empty()) return caches;
        caches.push_back({.level = static_cast<int>(leading_number(level)),
                          .type = first_line(cache / "type"),
                          .bytes = leading_number(first_line(cache / "size")) * 1024,
                          .shared_by = cpus_in_list(first_line(cache / "shared_cpu_list"))});
    }
}

/// Containers may hide sysfs; then ask the C library, which uses CPUID.
std::vector<Cache> caches_from_libc() {
    std::vector<Cache> caches;
    const auto add = [&](int level, const char* type, int name) {
        const auto bytes = sysconf(name);
        if (bytes > 0) {
            caches.push_back({.level = level, .type = type, .bytes = static_cast<std::uint64_t>(bytes)});
        }
    };
#if defined(_SC_LEVEL1_DCACHE_SIZE)
    add(1, "Data", _SC_LEVEL1_DCACHE_SIZE);
    add(1, "Instruction", _SC_LEVEL1_ICACHE_SIZE);
    add(2, "Unified", _SC_LEVEL2_CACHE_SIZE);
    add(3, "Unified", _SC_LEVEL3_CACHE_SIZE);
#endif
    return caches;
}

int affinity_cpus() {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 0;
}

std::string kernel_name() {
    utsname name{};
    if (uname(&name) != 0) return unknown;
    return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

template <class Predicate>
std::vector<std::string> isa_names(Predicate wanted) {
    std::vector<std::string> names;
    for (const kernels::Isa isa : kernels::all_isas()) {
        if (wanted(isa)) names.emplace_back(kernels::isa_name(isa));
    }
    return names;
}

std::uint64_t memory_bytes() {
    const auto pages = sysconf(_SC_PHYS_PAGES);
    const auto page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0
               ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes)
               : 0;
}

std::string compiler() {
#if defined(__clang__)
    return std::string("clang ") + __clang_version__;
#elif defined(__GNUC__)
    return std::string("gcc ") + __VERSION__;
#else
    return unknown;
#endif
}

}  // namespace

std::vector<Cache> described_caches() {
    std::vector<Cache> found = caches_from_sysfs();
    return found.empty() ? caches_from_libc() : found;
}

kernels::Isa chosen_isa(const SessionOptions& options) {
    return make_plan(model::Network::vgg(19), Preprocessing{}, options).execution.isa;
}

Machine describe_machine(kernels::Isa isa) {
    Machine machine;
    machine.cpu = or_unknown(field("/proc/cpuinfo", "model name", ':'));
    machine.vendor = or_unknown(field("/proc/cpuinfo", "vendor_id", ':'));
    machine.logical_cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    machine.affinity_cpus = affinity_cpus();
    machine.available_threads = kernels::available_cpus();
    machine.caches = described_caches();
    machine.memory_bytes = memory_bytes();
    machine.isas_built = isa_names(kernels::isa_is_built);
    machine.isas_supported = isa_names(kernels::cpu_supports);
    machine.isa = kernels::isa_name(isa);
    machine.kernel = kernel_name();
    machine.operating_system = or_unknown(field("/etc/os-release", "PRETTY_NAME", '='));
    return machine;
}

Build describe_build() {
    Build build;
    build.version = VGG19_VERSION;
    build.compiler = compiler();
    build.build_type = VGG19_BUILD_TYPE;
    build.flags = VGG19_BUILD_FLAGS;
    build.threads = VGG19_THREADS;
    build.onednn = kernels::onednn_version();
    return build;
}

namespace {

model::Json array_of(const std::vector<std::string>& texts) {
    model::Json::Array array(texts.begin(), texts.end());
    return array;
}

model::Json to_json(const Cache& cache) {
    model::Json json;
    json.set("level", cache.level);
    json.set("type", cache.type);
    json.set("bytes", cache.bytes);
    json.set("shared_by", cache.shared_by);
    return json;
}

}  // namespace

model::Json to_json(const Machine& machine) {
    model::Json json;
    json.set("cpu", machine.cpu);
    json.set("vendor", machine.vendor);
    json.set("logical_cpus", machine.logical_cpus);
    json.set("affinity_cpus", machine.affinity_cpus);
    json.set("available_threads", machine.available_threads);
    model::Json::Array caches;
    for (const Cache& cache : machine.caches) caches.push_back(to_json(cache));
    json.set("caches", caches);
    json.set("memory_bytes", machine.memory_bytes);
    json.set("isas_built", array_of(machine.isas_built));
    json.set("isas_supported", array_of(machine.isas_supported));
    json.set("isa", machine.isa);
    json.set("kernel", machine.kernel);
    json.set("operating_system", machine.operating_system);
    return json;
}

model::Json to_json(const Build& build) {
    model::Json json;
    json.set("version", build.version);
    json.set("compiler", build.compiler);
    json.set("build_type", build.build_type);
    json.set("flags", build.flags);
    json.set("threads", build.threads);
    json.set("onednn", build.onednn);
    return json;
}

std::uint64_t peak_rss_bytes(const std::string& process) {
    return leading_number(field("/proc/" + process + "/status", "VmHWM", ':')) * 1024;
}

}  // namespace vgg19::bench
