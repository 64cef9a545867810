#include "engine/model/json_file.h"

#include "engine/model/mapped_file.h"

namespace vgg19::model {

Json read_json(const std::filesystem::path& path) {
    const MappedFile file(path);
    return Json::parse(as_text(file.bytes()), path.string());
}

const Json& member(const Json& json, std::string_view key, const std::string& place) {
    const Json* const found = json.find(key);
    if (found != nullptr) return *found;
    throw Error(ErrorKind::bad_input, place + ": expected a member \"" + std::string(key) + "\", found none");
}

}  // namespace vgg19::model
