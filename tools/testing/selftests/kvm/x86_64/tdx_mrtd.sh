#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Compute the MRTD of the initial images of tdx_measurement_test with nothing
# but sha384sum, and compare with the values in the header that it shares with
# tdx_demo.  Runs anywhere; needs no TDX.  "-p" prints the values in the form in
# which the header has them.
#
# MRTD is the SHA-384 of one 128-byte block for each page added ("MEM.PAGE.ADD"
# and the GPA) and, for each 256 bytes measured, one such block ("MR.EXTEND" and
# the GPA) and the 256 bytes.

HEADER=${0%/*}/tdx_mrtd.h
GPA=$((0x40000000))

# fill VALUE COUNT: a byte, repeated
fill()
{
	head -c "$2" /dev/zero | tr '\000' "\\$(printf %03o "$1")"
}

le64()
{
	for shift in 0 8 16 24 32 40 48 56; do
		fill $(($1 >> shift & 255)) 1
	done
}

# block NAME GPA
block()
{
	printf %s "$1"
	fill 0 $((16 - ${#1}))
	le64 "$2"
	fill 0 104
}

# Page PAGE of the image: each 256 bytes are filled with a value of their own.
add()
{
	block MEM.PAGE.ADD $((GPA + $1 * 4096))
}

extend()
{
	for chunk in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		block MR.EXTEND $((GPA + $1 * 4096 + chunk * 256))
		fill $(($1 * 16 + chunk + 1)) 256
	done
}

measured()
{
	for page in 0 1 2 3; do add $page; extend $page; done
}

added()
{
	for page in 0 1 2 3; do add $page; done
}

reversed()
{
	for page in 3 2 1 0; do add $page; extend $page; done
}

mixed()
{
	for page in 0 1; do add $page; extend $page; done
	for page in 2 3; do add $page; done
}

nothing()
{
	:
}

define()
{
	printf '#define TDX_MRTD_%s \\\n\t"%s" \\\n\t"%s"\n' "$1" \
		"$(echo "$2" | cut -c 1-48)" "$(echo "$2" | cut -c 49-96)"
}

if ! command -v sha384sum > /dev/null; then
	echo "ok - SKIP no sha384sum"
	exit 4
fi

failed=0
for image in measured added reversed mixed nothing; do
	name=$(echo $image | tr a-z A-Z)
	want=$(define "$name" "$($image | sha384sum | cut -c 1-96)")
	if [ "$1" = -p ]; then
		echo "$want"
		continue
	fi
	have=$(grep -A 2 "^#define TDX_MRTD_$name " "$HEADER")
	if [ "$have" = "$want" ]; then
		echo "ok - MRTD of image \"$image\""
	else
		echo "not ok - MRTD of image \"$image\""
		failed=1
	fi
done
exit $failed
