// SPDX-License-Identifier: Apache-2.0
#include "listing.hpp"

#include "bytes.hpp"
#include "codec.hpp"

#include "las/base/text.hpp"

#include <map>

namespace las::catalog {

namespace {

constexpr std::string_view kMagic = "las catalog 2";

std::map<std::string, std::string> read_descriptions(std::string_view bytes) {
  std::map<std::string, std::string> descriptions;
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    std::string language(reader.text());
    descriptions[std::move(language)] = reader.text();
  }
  return descriptions;
}

platform::FileStamp read_stamp(ByteReader& reader) {
  platform::FileStamp stamp;
  stamp.size = reader.number();
  stamp.inode = reader.number();
  stamp.modified_ns = static_cast<std::int64_t>(reader.number());
  stamp.changed_ns = static_cast<std::int64_t>(reader.number());
  return stamp;
}

void write_stamp(ByteWriter& writer, const platform::FileStamp& stamp) {
  writer.number(stamp.size);
  writer.number(stamp.inode);
  writer.number(static_cast<std::uint64_t>(stamp.modified_ns));
  writer.number(static_cast<std::uint64_t>(stamp.changed_ns));
}

}  // namespace

std::vector<Companion> IndexEntry::read_companions() const {
  std::vector<Companion> out;
  for (ByteReader reader(companions); !reader.at_end();) {
    std::string name(reader.text());
    out.push_back({std::move(name), read_stamp(reader)});
  }
  return out;
}

BriefTexts::BriefTexts(const Manifest& manifest)
    : name_(manifest.name),
      version_(manifest.releases.empty() ? manifest.version.text()
                                         : manifest.releases.front().version.text()),
      category_(manifest.category),
      deprecated_(manifest.deprecated),
      serves_models_(manifest.service &&
                     manifest.service->kind == ServiceTemplate::Kind::Deployment) {
  ByteWriter descriptions;
  for (const auto& [language, text] : manifest.description) {
    descriptions.text(language);
    descriptions.text(text);
    searched_ += text::lower(text) + "\n";
  }
  descriptions_ = descriptions.bytes();
  for (const std::string& capability : manifest.provides)
    provides_ += capability + "\n";
  searched_provides_ = text::lower(provides_);
}

Brief BriefTexts::brief() const {
  Brief brief;
  brief.name = name_;
  brief.version = version_;
  brief.category = category_;
  brief.deprecated = deprecated_;
  brief.serves_models = serves_models_;
  brief.descriptions = descriptions_;
  brief.provides = provides_;
  brief.searched = searched_;
  brief.searched_provides = searched_provides_;
  return brief;
}

std::string Brief::summary(std::string_view language) const {
  Manifest manifest;
  manifest.description = read_descriptions(descriptions);
  return manifest.summary(language);
}

Listing Listing::parse(std::string_view bytes) {
  ByteReader reader(bytes);
  Listing listing;
  if (reader.text() != kMagic)
    ByteReader::fail();
  listing.maker = reader.text();
  listing.snapshot = reader.text();
  listing.bodies = reader.text();
  listing.entries.resize(reader.count());
  for (IndexEntry& entry : listing.entries) {
    entry.file = reader.text();
    entry.stamp = read_stamp(reader);
    entry.companions = reader.text();
    entry.offset = reader.number();
    entry.size = reader.number();
    Brief& brief = entry.brief;
    brief.name = reader.text();
    brief.version = reader.text();
    const std::uint64_t category = reader.number();
    if (category > static_cast<std::uint64_t>(Category::Model))
      ByteReader::fail();
    brief.category = static_cast<Category>(category);
    brief.deprecated = reader.number() != 0;
    brief.serves_models = reader.number() != 0;
    brief.descriptions = reader.text();
    brief.provides = reader.text();
    brief.searched = reader.text();
    brief.searched_provides = reader.text();
  }
  if (!reader.at_end())
    ByteReader::fail();
  return listing;
}

void ListingMaker::add(std::string_view file,
                       const platform::FileStamp& stamp,
                       const std::vector<Companion>& companions,
                       const Manifest& manifest) {
  ByteWriter writer;
  for (const Companion& companion : companions) {
    writer.text(companion.file);
    write_stamp(writer, companion.stamp);
  }
  add(file, stamp, writer.bytes(), BriefTexts(manifest).brief(), encode(manifest));
}

void ListingMaker::add(const IndexEntry& entry, std::string_view body) {
  add(entry.file, entry.stamp, entry.companions, entry.brief, body);
}

void ListingMaker::add(std::string_view file,
                       const platform::FileStamp& stamp,
                       std::string_view companions,
                       const Brief& brief,
                       std::string_view body) {
  ByteWriter writer;
  writer.text(file);
  write_stamp(writer, stamp);
  writer.text(companions);
  writer.number(bodies_.size());
  writer.number(body.size());
  writer.text(brief.name);
  writer.text(brief.version);
  writer.number(static_cast<std::uint64_t>(brief.category));
  writer.number(brief.deprecated ? 1 : 0);
  writer.number(brief.serves_models ? 1 : 0);
  writer.text(brief.descriptions);
  writer.text(brief.provides);
  writer.text(brief.searched);
  writer.text(brief.searched_provides);
  entries_.push_back(writer.bytes());
  bodies_ += body;
}

std::string ListingMaker::listing(std::string_view maker,
                                  std::string_view snapshot,
                                  std::string_view bodies) const {
  ByteWriter writer;
  writer.text(kMagic);
  writer.text(maker);
  writer.text(snapshot);
  writer.text(bodies);
  writer.number(entries_.size());
  std::string bytes = writer.bytes();
  for (const std::string& entry : entries_)
    bytes += entry;
  return bytes;
}

}  // namespace las::catalog
