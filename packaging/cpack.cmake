# Two Debian packages from two install components: guest -> clockmend, host -> clockmend-host.
set(CPACK_PACKAGE_NAME clockmend)
set(CPACK_PACKAGE_VENDOR "clockmend")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
# Each package brings its own summary as the first line of its description.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_COMPONENTS_ALL guest host)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
# /etc lies outside the prefix, so files are staged by DESTDIR instead of by a moved prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "clockmend authors <maintainers@clockmend.example>")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

set(CPACK_DEBIAN_GUEST_PACKAGE_NAME clockmend)
set(CPACK_DEBIAN_GUEST_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_GUEST_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_GUEST_PACKAGE_SHLIBDEPS ON)
# init-system-helpers: deb-systemd-helper in the maintainer scripts; sysusers makes the group; time daemons are stopped
# and started over the system bus.
set(CPACK_DEBIAN_GUEST_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers, default-dbus-system-bus | dbus-system-bus")
set(CPACK_DEBIAN_GUEST_PACKAGE_RECOMMENDS "udev")
set(CPACK_DEBIAN_GUEST_PACKAGE_SUGGESTS "ntpsec | chrony | systemd-timesyncd")
set(CPACK_DEBIAN_GUEST_DESCRIPTION "in-guest agent that repairs the clock after the virtual machine was frozen
A virtual machine that was paused, saved, migrated or hot-upgraded wakes up with
a wrong clock, and no comparison of its own clocks shows it. clockmend notices by
witnesses outside the guest (host notice, RTC, NTP), sets the clock right within
milliseconds, verifies it with NTP, writes the RTC, leaves the time daemon running
and keeps an audit record of what it did.")
set(CPACK_DEBIAN_GUEST_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_SOURCE_DIR}/deb/guest/postinst;${CMAKE_CURRENT_SOURCE_DIR}/deb/guest/prerm;${CMAKE_CURRENT_SOURCE_DIR}/deb/guest/postrm;${CMAKE_CURRENT_SOURCE_DIR}/deb/guest/conffiles")

set(CPACK_DEBIAN_HOST_PACKAGE_NAME clockmend-host)
set(CPACK_DEBIAN_HOST_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_HOST_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_HOST_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_HOST_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_HOST_PACKAGE_SUGGESTS "libvirt-daemon-system")
set(CPACK_DEBIAN_HOST_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_SOURCE_DIR}/deb/host/postinst;${CMAKE_CURRENT_SOURCE_DIR}/deb/host/prerm;${CMAKE_CURRENT_SOURCE_DIR}/deb/host/postrm")
set(CPACK_DEBIAN_HOST_DESCRIPTION "host side of clockmend: tells guests that they were frozen
clockmend-host notify tells the clockmend agent of a guest, over a virtio-serial
port, that its virtual machine was paused, migrated or hot-upgraded, gives it the
host's time by a four-stamp exchange, and waits for the report.
clockmend-host watch follows libvirt and does so for every guest by itself.")

include(CPack)
