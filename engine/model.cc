#include "vgg19/model.h"

#include <utility>

#include "engine/model/model_access.h"

namespace vgg19 {

Model Model::open(const std::filesystem::path& path) {
    return model::ModelAccess::of(model::ModelFile::open(model::MappedFile::read_when_used(path)));
}
Model Model::from_descriptor(int descriptor, std::uint64_t offset, std::uint64_t length) {
    return model::ModelAccess::of(
        model::ModelFile::open(model::MappedFile::of_descriptor(descriptor, offset, length)));
}
Model Model::from_memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
    return model::ModelAccess::of(
        model::ModelFile::open(model::MappedFile::of_memory(bytes, std::move(owner))));
}

const std::string& Model::variant() const {
    return file_->description().variant;
}
const std::vector<std::string>& Model::lineage() const {
    return file_->description().lineage;
}
const Preprocessing& Model::preprocessing() const {
    return file_->description().preprocessing;
}
Pooling Model::pooling() const {
    return file_->description().pooling;
}
std::uint64_t Model::file_bytes() const {
    return file_->file_bytes();
}
std::uint64_t Model::active_parameters() const {
    return file_->network().parameters();
}
std::uint64_t Model::macs(MapSize input_size) const {
    return file_->network().macs(input_size);
}
std::size_t Model::classes() const {
    return file_->network().classes();
}
const std::vector<std::string>& Model::class_names() const {
    return file_->description().class_names;
}

}  // namespace vgg19
