//! Pictures made here, byte by byte; each secret in them stands for a person's data.

use super::*;

const SECRET: &[u8] = b"-6.2383,106.9756 Siti Aminah";

fn clean(file: &[u8], part: usize) -> Result<(Vec<u8>, Option<u64>), MediaError> {
    let media = sniff(&file[..file.len().min(SNIFFED_BYTES)])?;
    let mut cleaner = Cleaner::new(media);
    let mut out = Vec::new();
    for part in file.chunks(part) {
        cleaner.push(part, &mut out)?;
    }
    Ok((out, cleaner.finish()?))
}

/// Cleans a file in parts of every size that matters, and says what is left and how much was removed.
fn cleaned(file: &[u8]) -> (Vec<u8>, u64) {
    let whole = clean(file, file.len()).unwrap();
    for part in [1, 2, 3, 7, 64] {
        assert_eq!(clean(file, part).unwrap(), whole, "in parts of {part}");
    }
    let (left, removed) = whole;
    let again = clean(&left, 1000).unwrap();
    assert_eq!(again.0, left, "cleaned again it stays as it is");
    (left, removed.unwrap())
}

fn has(file: &[u8], words: &[u8]) -> bool {
    file.windows(words.len()).any(|window| window == words)
}

fn segment(code: u8, body: &[u8]) -> Vec<u8> {
    let length = ((body.len() + 2) as u16).to_be_bytes();
    [&[0xff, code], &length[..], body].concat()
}

/// Returns an EXIF segment with a position, and how the picture is turned.
fn exif(turned: u8) -> Vec<u8> {
    let tiff = [
        &b"II\x2a\0\x08\0\0\0"[..],
        b"\x02\0",
        b"\x0f\x01\x02\0\x04\0\0\0HP32",
        b"\x12\x01\x03\0\x01\0\0\0",
        &[turned, 0, 0, 0],
        b"\0\0\0\0",
        SECRET,
    ];
    segment(0xe1, &[&b"Exif\0\0"[..], &tiff.concat()].concat())
}

fn scan() -> Vec<u8> {
    [
        segment(0xda, &[1, 1, 0, 0, 63, 0]),
        vec![1, 2, 0xff, 0x00, 3, 0xff, 0xd0, 4],
    ]
    .concat()
}

fn jpeg(extra: &[Vec<u8>], between: &[u8], behind: &[u8]) -> Vec<u8> {
    [
        vec![0xff, 0xd8],
        segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
        extra.concat(),
        segment(0xdb, &[0; 65]),
        segment(0xc2, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
        segment(0xc4, &[0; 20]),
        scan(),
        between.to_vec(),
        scan(),
        vec![0xff, 0xd9],
        behind.to_vec(),
    ]
    .concat()
}

#[test]
fn a_jpeg_keeps_its_picture_and_colors_and_loses_places_names_previews_and_what_stands_behind_it() {
    let plain = jpeg(&[], &[], &[]);
    assert_eq!(cleaned(&plain), (plain.clone(), 0));
    let icc = segment(0xe2, b"ICC_PROFILE\0\x01\x01profile");
    let extra = [
        exif(1),
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        icc.clone(),
        segment(0xe2, &[b"MPF\0", SECRET].concat()),
        segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()),
        segment(0xee, b"Adobe\0\x64\0\0\0\0\x01"),
        segment(0xfe, SECRET),
        segment(0xe5, b""),
        segment(0xe0, &[b"JFXX\0", SECRET].concat()),
    ];
    let full = jpeg(
        &extra,
        &exif(1),
        &[&jpeg(&[exif(3)], &[], &[]), SECRET].concat(),
    );
    let (left, removed) = cleaned(&full);
    assert!(!has(&left, SECRET) && !has(&left, b"Exif") && !has(&left, b"HP32"));
    let kept = [icc, segment(0xee, b"Adobe\0\x64\0\0\0\0\x01")];
    assert_eq!(left, jpeg(&kept, &[], &[]));
    assert_eq!(removed, (full.len() - left.len()) as u64);
}

#[test]
fn a_jpeg_stays_turned_as_its_camera_was_held() {
    for (turned, kept) in [(6, true), (8, true), (1, false), (9, false)] {
        let (left, _) = cleaned(&jpeg(&[exif(turned)], &[], &[]));
        assert!(!has(&left, SECRET));
        assert_eq!(has(&left, b"Exif\0\0"), kept, "{turned}");
        if kept {
            assert!(has(&left, &[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turned, 0, 0]));
        }
    }
}

#[test]
fn lying_exif_harms_nobody() {
    let lies: [&[u8]; 5] = [
        b"Exif\0\0",
        b"Exif\0\0II",
        b"Exif\0\0II\x2a\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff",
        b"Exif\0\0XXXXXXXXXXXXXXXX",
    ];
    for lie in lies {
        let (left, _) = cleaned(&jpeg(&[segment(0xe1, lie)], &[], &[]));
        assert_eq!(left, jpeg(&[], &[], &[]));
    }
}

fn png_chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&length[..], name, body, b"crc!"].concat()
}

fn png(extra: &[Vec<u8>], behind: &[u8]) -> Vec<u8> {
    [
        png::SIGNATURE.to_vec(),
        png_chunk(b"IHDR", &[0; 13]),
        extra.concat(),
        png_chunk(b"IDAT", &[7; 30]),
        png_chunk(b"IEND", &[]),
        behind.to_vec(),
    ]
    .concat()
}

#[test]
fn a_png_loses_texts_times_exif_unknown_chunks_and_what_stands_behind_it() {
    let plain = png(&[png_chunk(b"pHYs", &[0; 9])], &[]);
    assert_eq!(cleaned(&plain), (plain.clone(), 0));
    let told: [&[u8]; 6] = [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"prVt"];
    let extra: Vec<Vec<u8>> = told.iter().map(|name| png_chunk(name, SECRET)).collect();
    let (left, removed) = cleaned(&png(&extra, SECRET));
    assert_eq!(left, png(&[], &[]));
    assert_eq!(removed, (6 * (12 + SECRET.len()) + SECRET.len()) as u64);
}

fn webp_chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_le_bytes();
    let pad = vec![0; body.len() % 2];
    [name, &length[..], body, &pad[..]].concat()
}

fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    let size = (body.len() as u32 + 4).to_le_bytes();
    [b"RIFF", &size[..], b"WEBP", &body].concat()
}

#[test]
fn a_webp_is_overwritten_where_it_tells_of_places_and_says_so_no_more() {
    let lossy = webp_chunk(b"VP8 ", &[5; 21]);
    let plain = webp(std::slice::from_ref(&lossy));
    assert_eq!(cleaned(&plain), (plain.clone(), 0));
    let flags = |flags: u8| webp_chunk(b"VP8X", &[flags, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
    let frame = |inner: Vec<u8>| webp_chunk(b"ANMF", &[&[0; 16][..], &inner].concat());
    let full = [
        webp(&[
            flags(0x3e),
            webp_chunk(b"ICCP", b"profile!"),
            frame([lossy.clone(), webp_chunk(b"note", SECRET)].concat()),
            lossy,
            webp_chunk(b"EXIF", SECRET),
            webp_chunk(b"XMP ", &[SECRET, b"!"].concat()),
        ]),
        SECRET.to_vec(),
    ]
    .concat();
    let (left, removed) = cleaned(&full);
    assert!(!has(&left, SECRET) && !has(&left, b"EXIF") && !has(&left, b"XMP "));
    assert_eq!(left.len() + SECRET.len(), full.len());
    assert!(has(&left, &flags(0x32)) && has(&left, b"profile!"));
    assert!(removed as usize > 3 * SECRET.len());
}

#[test]
fn a_picture_that_was_cut_off_or_is_damaged_is_refused_and_says_where() {
    let pictures = [
        jpeg(&[exif(6)], &[], &[]),
        png(&[], &[]),
        webp(&[webp_chunk(b"VP8L", &[5; 21])]),
    ];
    for picture in pictures {
        for length in 13..picture.len() {
            let refused = clean(&picture[..length], 5).unwrap_err();
            assert!(
                matches!(refused, MediaError::CutOff { .. }),
                "{length}: {refused}"
            );
        }
    }
    let mut spoilt = jpeg(&[], &[], &[]);
    spoilt[20] = 7;
    let refused = clean(&spoilt, 9).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the JPEG picture is damaged at byte 20: a marker is expected"
    );
    let mut spoilt = webp(&[webp_chunk(b"VP8 ", &[5; 21])]);
    spoilt[16] = 0xff;
    let refused = clean(&spoilt, 9).unwrap_err();
    assert!(matches!(refused, MediaError::Damaged { media: "WebP", .. }));
    let refused = clean(&[&png::SIGNATURE[..], &png_chunk(b"IDAT", &[])].concat(), 9);
    assert!(
        matches!(
            refused,
            Err(MediaError::Damaged {
                media: "PNG",
                at: 8,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn a_file_is_what_its_bytes_say_and_goes_through_as_it_is_when_it_is_a_document() {
    let zip = |name: &[u8], content: &[u8]| {
        let length = (name.len() as u16).to_le_bytes();
        [b"PK\x03\x04", &[0; 22][..], &length, &[0, 0], name, content].concat()
    };
    let odt = zip(b"mimetype", b"application/vnd.oasis.opendocument.text");
    let documents = [
        (b"%PDF-1.7 SK Gubernur".to_vec(), Media::Pdf),
        (zip(b"[Content_Types].xml", b"<"), Media::OfficeOpenXml),
        (zip(b"xl/workbook.xml", b"<"), Media::OfficeOpenXml),
        (odt, Media::OpenDocument),
    ];
    for (document, media) in documents {
        assert_eq!(sniff(&document), Ok(media));
        assert_eq!(clean(&document, 3), Ok((document.clone(), None)));
    }
    let others: [&[u8]; 9] = [
        b"",
        b"\xff\xd8",
        b"<html>",
        b"GIF89a",
        b"MZ\x90\0",
        b"PK\x03\x04",
        b"#!/bin/sh",
        b"RIFF\0\0\0\0WAVE",
        b"{\"type\":\"FeatureCollection\"}",
    ];
    for other in others {
        assert_eq!(sniff(other), Err(MediaError::Unknown), "{other:?}");
    }
    assert_eq!(sniff(&zip(b"a.exe", b"MZ")), Err(MediaError::Unknown));
    assert_eq!(sniff(b"\0\0\0\x18ftypheic\0\0\0\0"), Err(MediaError::Heif));
}
