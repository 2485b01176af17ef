# Runs "$@" after it left its pid, and the signal that ends it ($2), in the file $1, where the guardian finds it.
# The rename fails, and nothing is started, once the guardian has begun to clear up.
file=$1
echo "$$ $2" >"$file.new" && mv "$file.new" "$file" || exit 125
shift 2
exec "$@"
