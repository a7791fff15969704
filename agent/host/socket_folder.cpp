#include "agent/host/socket_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace clockmend::host {

namespace {

namespace fs = std::filesystem;

bool is_port_name(const std::string& name) { return name == "org.clockmend.agent.0" || name == "clockmend.sock"; }

// A folder that vanishes while it is read (a guest ended) is no error.
void add_from_guest(const fs::path& folder, std::vector<std::string>& sockets) {
  std::error_code error;
  for (fs::directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
    std::error_code ignored;
    if (is_port_name(each->path().filename().string()) && each->is_socket(ignored)) sockets.push_back(each->path().string());
  }
}

}  // namespace

core::Result<std::vector<std::string>> sockets_in(const std::string& folder) {
  std::vector<std::string> sockets;
  std::error_code error;
  fs::directory_iterator each(folder, error);
  if (error) {
    const bool denied = error == std::errc::permission_denied;
    return core::Error{denied ? core::ErrorCode::not_permitted : core::ErrorCode::not_found, folder + ": " + error.message()};
  }
  for (const fs::directory_iterator end; !error && each != end; each.increment(error)) {
    std::error_code ignored;
    const fs::file_status status = each->symlink_status(ignored);
    const std::string name = each->path().filename().string();
    if (fs::is_directory(status)) add_from_guest(each->path(), sockets);
    if (fs::is_socket(status) && (each->path().extension() == ".sock" || is_port_name(name))) sockets.push_back(each->path().string());
  }
  if (error) return core::Error{core::ErrorCode::io, folder + ": " + error.message()};
  std::sort(sockets.begin(), sockets.end());
  return sockets;
}

}  // namespace clockmend::host
