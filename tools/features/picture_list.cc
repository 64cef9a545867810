#include "tools/features/picture_list.h"

#include <filesystem>

#include "converter/data/image_files.h"
#include "converter/data/left_out.h"
#include "engine/image/formats.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

namespace fs = std::filesystem;

void add_folder(const fs::path& folder, PictureList& list, converter::LeftOutFiles& others) {
    const converter::FolderContent content = converter::files_below(folder);
    for (const fs::path& other : content.others) others.add(other);
    for (const fs::path& image : content.images) list.pictures.push_back(image.string());
    if (!content.images.empty()) return;
    converter::LeftOutFiles only;
    for (const fs::path& other : content.others) only.add(other);
    const std::string found = converter::left_out_text(only.list());
    throw Error(ErrorKind::bad_input, folder.string() + ": expected pictures (" + readable_formats() +
                                          ") in the folder or below it, found " +
                                          (found.empty() ? "none" : "only " + found));
}

}  // namespace

PictureList list_pictures(const std::vector<std::string>& arguments) {
    PictureList list;
    converter::LeftOutFiles others;
    for (const std::string& argument : arguments) {
        std::error_code ignored;  // what is not there is reported when it is read
        if (fs::is_directory(argument, ignored)) {
            add_folder(argument, list, others);
        } else {
            list.pictures.push_back(argument);
        }
    }
    list.left_out = others.list();
    return list;
}

std::vector<std::string> read_path_list(std::istream& stream, const std::string& name) {
    constexpr std::size_t longest_line = 65'536;  // far longer than any path
    std::vector<std::string> paths;
    std::vector<char> buffer(longest_line + 1);
    while (stream.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()))) {
        const std::size_t end_of_line = stream.eof() ? 0 : 1;
        std::string line(buffer.data(), static_cast<std::size_t>(stream.gcount()) - end_of_line);
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty()) paths.push_back(std::move(line));
    }
    if (!stream.eof() && !stream.bad()) {
        throw Error(ErrorKind::bad_input, name + ": expected paths of at most " +
                                              std::to_string(longest_line) +
                                              " bytes, one in each line, found a longer line");
    }
    if (stream.bad()) throw Error(ErrorKind::bad_input, name + ": the list cannot be read to its end");
    if (!paths.empty()) return paths;
    throw Error(ErrorKind::bad_input, name + ": expected a path in each line, found an empty list");
}

}  // namespace vgg19::tools
