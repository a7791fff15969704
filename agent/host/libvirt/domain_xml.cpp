#include "agent/host/libvirt/domain_xml.hpp"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <memory>

namespace clockmend::host {

namespace {

using core::Error;
using core::ErrorCode;

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

std::string_view text_of(const xmlChar* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

bool is(const xmlNode* node, std::string_view name) {
  return node->type == XML_ELEMENT_NODE && node->ns == nullptr && text_of(node->name) == name;
}

std::string attribute(const xmlNode* node, const char* name) {
  xmlChar* value = xmlGetNoNsProp(node, reinterpret_cast<const xmlChar*>(name));
  std::string text{text_of(value)};
  xmlFree(value);
  return text;
}

const xmlNode* child_of(const xmlNode* parent, std::string_view name) {
  for (const xmlNode* child = parent->children; child != nullptr; child = child->next)
    if (is(child, name)) return child;
  return nullptr;
}

bool is_our_port(const xmlNode* channel) {
  const xmlNode* target = child_of(channel, "target");
  return target != nullptr && attribute(target, "type") == "virtio" && attribute(target, "name") == kPortName;
}

core::Result<std::string> socket_of(const xmlNode* channel) {
  const std::string type = attribute(channel, "type");
  if (type != "unix") return Error{ErrorCode::unsupported, "its channel " + std::string{kPortName} + " is of type " + type + ", not unix"};
  const xmlNode* source = child_of(channel, "source");
  // mode='connect': QEMU is the client there, and somebody else the server.
  if (source != nullptr && attribute(source, "mode") == "connect")
    return Error{ErrorCode::unsupported, "its channel " + std::string{kPortName} + " connects instead of listening (mode='connect')"};
  // The configuration of a guest that does not run has no path: libvirt chooses one when it starts.
  return source == nullptr ? std::string{} : attribute(source, "path");
}

}  // namespace

core::Result<std::string> channel_socket(std::string_view xml) {
  if (xml.size() > kMaxDomainXml) return Error{ErrorCode::invalid, "its XML is too large"};
  // No network, no external entities: libxml2 substitutes none unless asked to.
  const std::unique_ptr<xmlDoc, FreeDocument> document{
      xmlReadMemory(xml.data(), static_cast<int>(xml.size()), nullptr, nullptr, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)};
  const xmlNode* root = document == nullptr ? nullptr : xmlDocGetRootElement(document.get());
  if (root == nullptr || !is(root, "domain")) return Error{ErrorCode::invalid, "its XML is not that of a domain"};
  const xmlNode* devices = child_of(root, "devices");
  if (devices == nullptr) return std::string{};
  for (const xmlNode* device = devices->children; device != nullptr; device = device->next)
    if (is(device, "channel") && is_our_port(device)) return socket_of(device);
  return std::string{};
}

}  // namespace clockmend::host
