#include "engine/model/json_file.h"

namespace vgg19::model {

void require_text_size(const MappedFile& file, std::size_t most) {
    if (file.bytes().size() <= most) return;
    throw Error(ErrorKind::bad_input, file.path().string() + ": expected at most " + std::to_string(most) +
                                          " bytes of text, found " + std::to_string(file.bytes().size()));
}

Json read_json(const std::filesystem::path& path) {
    const MappedFile file(path);
    require_text_size(file);
    return Json::parse(as_text(file.bytes()), path.string());
}

const Json& member(const Json& json, std::string_view key, const std::string& place) {
    const Json* const found = json.find(key);
    if (found != nullptr) return *found;
    throw Error(ErrorKind::bad_input, place + ": expected a member \"" + std::string(key) + "\", found none");
}

}  // namespace vgg19::model
