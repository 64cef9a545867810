// JSON must be read the same way as a tree and from front to back, and be written so that it reads back.
#include <string>
#include <string_view>

#include "converter/prune/prune.h"
#include "engine/model/json_reader.h"
#include "tests/fuzz/reader_fuzzing.h"

namespace {

using vgg19::model::Json;

void check_skipping(std::string_view text) {
    vgg19::model::JsonReader reader(text, "text");
    reader.skip();
    reader.end();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    constexpr std::size_t fixed = std::size_t{1} << 16U;
    vgg19::fuzzing::check_reading(size, vgg19::model::json_memory_factor + 32, fixed, [&] {
        check_skipping(text);
        const Json json = Json::parse(text, "text");
        const std::string written = json.dump();
        const Json copy = Json::parse(written, "written");
        if (copy.dump() != written) std::abort();
        static_cast<void>(vgg19::converter::PrunePlan::from_json(json, "plan"));
    });
    return 0;
}
