#!/bin/sh
# Gets MySQL, which Debian's stable releases do not have, from its unstable one, into a folder of its own. Needs root and debootstrap.
#
#   POSTERN_MYSQLD=$(test/support/mysql.sh .tmp/mysql) npx vitest run --config test/vitest.config.ts mariadb
set -eu

root=$(realpath -m "${1:?the folder to put it into}")
if [ ! -x "$root/usr/sbin/mysqld" ]; then
  debootstrap --variant=minbase --include=mysql-server-core sid "$root" http://deb.debian.org/debian >&2
fi
cat > "$root/mysqld" <<END
#!/bin/sh
# With its own libraries. Its first option must be --no-defaults.
exec $root/lib64/ld-linux-x86-64.so.2 \\
  --library-path $root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/mysql/private \\
  $root/usr/sbin/mysqld "\$@" --basedir=$root/usr --lc-messages-dir=$root/usr/share/mysql --character-sets-dir=$root/usr/share/mysql/charsets
END
chmod 755 "$root" "$root/mysqld"
echo "$root/mysqld"
