#include "kernels/common/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include "kernels/common/control_groups.h"

namespace vgg19::kernels {

namespace {

/// The number in a file that contains nothing else; none for the word "max".
std::optional<std::uint64_t> number_in(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    if (file >> number) return number;
    return std::nullopt;
}

/// The number after `key` at the start of a line; 0 if there is none.
std::uint64_t field(const std::string& path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key)) return std::stoull(line.substr(key.size()));
    }
    return 0;
}

struct LimitFiles {
    ControlGroups version;
    const char* limit;
    const char* usage;
    const char* page_cache;  ///< the key in memory.stat for file pages that can be dropped
};

constexpr LimitFiles version1 = {ControlGroups::version1, "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                                 "total_inactive_file "};
constexpr LimitFiles version2 = {ControlGroups::version2, "/memory.max", "/memory.current", "inactive_file "};

std::uint64_t left_in_groups(const LimitFiles& files) {
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
    for (const std::string& folder : control_group_folders(files.version, "memory")) {
        const std::optional<std::uint64_t> limit = number_in(folder + files.limit);
        const std::optional<std::uint64_t> usage = number_in(folder + files.usage);
        if (!limit || !usage) continue;
        const std::uint64_t dropped = std::min(*usage, field(folder + "/memory.stat", files.page_cache));
        const std::uint64_t used = std::min(*limit, *usage - dropped);
        left = std::min(left, *limit - used);
    }
    return left;
}

}  // namespace

std::uint64_t available_memory_bytes() {
    constexpr std::uint64_t unit = 1024;
    const std::uint64_t system = field("/proc/meminfo", "MemAvailable:") * unit;
    return std::min({system, left_in_groups(version1), left_in_groups(version2)});
}

}  // namespace vgg19::kernels
