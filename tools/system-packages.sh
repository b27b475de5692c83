#!/usr/bin/env bash
# Installs what is missing of the system: as root on Debian; otherwise one message names it.
# Arguments: what for (base, window, test).
set -euo pipefail

# Only root has ldconfig in its path.
PATH=$PATH:/usr/sbin:/sbin
missing=()
need_command() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
libraries=$(ldconfig -p 2>/dev/null || true)
need_library() { [[ $libraries == *"$1"* ]] || missing+=("$2"); }
fonts() { fc-list : family 2>/dev/null || true; }

HAS_HEADERS='import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'

for purpose in "$@"; do
    case $purpose in
    base)
        "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
        # Without these all works, several times slower: only who can install them at once is asked for them.
        if [ "$(id -u)" -eq 0 ]; then
            need_command cc gcc
            [ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
            "${PYTHON:-python3}" -c "$HAS_HEADERS" 2>/dev/null || missing+=(python3-dev)
        fi
        ;;
    window)
        # Elsewhere Qt brings what it needs, and the system has fonts.
        [ "$(uname)" = Linux ] || continue
        need_library libEGL.so.1 libegl1
        need_library libGL.so.1 libgl1
        need_library libxkbcommon.so.0 libxkbcommon0
        need_library libfontconfig.so.1 libfontconfig1
        need_library libdbus-1.so.3 libdbus-1-3
        need_library libglib-2.0.so.0 libglib2.0-0
        if [ -n "${DISPLAY:-}" ]; then
            need_library libxcb-cursor.so.0 libxcb-cursor0
            need_library libxcb-icccm.so.4 libxcb-icccm4
            need_library libxcb-keysyms.so.1 libxcb-keysyms1
            need_library libxcb-image.so.0 libxcb-image0
            need_library libxcb-render-util.so.0 libxcb-render-util0
            need_library libxkbcommon-x11.so.0 libxkbcommon-x11-0
        fi
        # Any desktop brings a font for screens; a server has at best one for terminals.
        command -v fc-list >/dev/null 2>&1 || missing+=(fontconfig)
        grep -qiE "inter|noto ?sans|cantarell|ubuntu|liberation" <<<"$(fonts)" || missing+=(fonts-inter)
        ;;
    test)
        need_command redis-server redis-server
        need_command openssl openssl
        # For a probe on another machine, which is this one.
        need_command sshd openssh-server
        need_command node nodejs
        need_command npm npm
        # A real key store, on a session bus of its own.
        need_command dbus-run-session dbus-daemon
        need_command gnome-keyring-daemon gnome-keyring
        ;;
    *)
        echo "system-packages.sh: '$purpose' is none of base, window, test" >&2
        exit 2
        ;;
    esac
done

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing ${missing[*]} ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
    new=()
    for package in "${missing[@]}"; do is_installed "$package" || new+=("$package"); done
    # Those who need a server start their own: Debian's are neither started now (policy-rc.d is asked before any is,
    # with systemd and without) nor with the machine. A service that was there before is left as it is.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ] && [ ! -L "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    for package in ${new[@]+"${new[@]}"}; do
        for file in $(dpkg -L "$package"); do
            case $file in
            */lib/systemd/system/*@*) ;; # a template, which is nothing by itself
            */lib/systemd/user/*.socket)
                ! command -v systemctl >/dev/null || systemctl --quiet --global disable "${file##*/}" >/dev/null 2>&1 || true
                ;;
            */lib/systemd/system/*.service)
                ! command -v systemctl >/dev/null || systemctl --quiet disable "${file##*/}" >/dev/null 2>&1 || true
                ;;
            /etc/init.d/*) update-rc.d "${file##*/}" disable >/dev/null 2>&1 || true ;;
            esac
        done
    done
else
    echo "Packages of the system are missing. Install them, then run this again: sudo apt-get install ${missing[*]}" >&2
    exit 1
fi
