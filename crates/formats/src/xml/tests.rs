//! What the XML reader takes, and what it refuses.

use super::*;

fn refuse(document: &[u8], message: &str) {
    let error = read(document).expect_err("the document was read");
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_document_is_read_into_elements_with_their_namespaces() {
    let document = read(
        b"\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><!-- a --><?b c?>\n<k:a xmlns:k='http://www.w3.org/2005/Atom' xmlns='urn:x' v='1 &amp; 2'>x&lt;&#65;&#x42;<![CDATA[<c>]]><b/></k:a>\n<!-- end -->",
    )
    .unwrap();
    assert_eq!(document.root.name, "a");
    assert_eq!(document.root.namespace, Namespace::Known(ATOM));
    assert_eq!(document.root.text, "x<AB<c>");
    assert_eq!(
        document.root.attributes,
        [("v".to_owned(), "1 & 2".to_owned())]
    );
    assert_eq!(
        document.root.children[0].namespace,
        Namespace::Other("urn:x".to_owned())
    );
    assert_eq!(document.root.children[0].at.line, 2);
    assert_eq!(read(b"<a/>").unwrap().root.namespace, Namespace::None);
}

#[test]
fn a_hostile_or_broken_document_is_refused_with_what_and_where() {
    refuse(b"", "document holds no element");
    refuse(b"  <!-- nothing -->", "document holds no element");
    refuse(
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "document type (DOCTYPE) at line `1` column `1` is refused",
    );
    refuse(
        b"<a><!DOCTYPE b></a>",
        "document type (DOCTYPE) at line `1` column `4` is refused",
    );
    refuse(
        b"<a>&lol9;</a>",
        "entity `lol9` at line `1` column `4` is refused",
    );
    refuse(
        b"<a b='&ext;'/>",
        "entity `ext` at line `1` column `1` is refused",
    );
    refuse(
        b"<a>&nbsp;</a>",
        "entity `nbsp` at line `1` column `4` is refused",
    );
    refuse(
        b"<a>x\0y</a>",
        "character `U+0000` at line `1` column `5` is not allowed in XML",
    );
    refuse(
        b"<a>&#1;</a>",
        "character `U+0001` at line `1` column `4` is not allowed in XML",
    );
    refuse(
        b"<a>\xFF</a>",
        "document is not UTF-8 at line `1` column `4`",
    );
    refuse(
        b"<?xml version='1.0' encoding='windows-1252'?><a>\xE9</a>",
        "encoding `windows-1252` is not read, only UTF-8 and ISO-8859-1 are",
    );
    refuse(
        b"<a><b></a>",
        "ill-formed document: expected `</b>`, but `</a>` was found at line `1` column `7`",
    );
    refuse(
        b"<a><b>",
        "element `b` opened at line `1` column `4` is not closed before the end at line `1` column `7`",
    );
    refuse(
        b"<a/>tail",
        "`tail` at line `1` column `5` stands outside the root element",
    );
    refuse(
        b"<a/><b/>",
        "`<b>` at line `1` column `5` stands outside the root element",
    );
    refuse(
        b"head<a/>",
        "`head` at line `1` column `1` stands outside the root element",
    );
    refuse(
        b"<a/>&#32;",
        "` ` at line `1` column `5` stands outside the root element",
    );
    refuse(
        b"<a/><![CDATA[]]>",
        "`` at line `1` column `5` stands outside the root element",
    );
    refuse(
        b"<p:a/>",
        "prefix `p` of the element at line `1` column `1` is not declared",
    );
    refuse(
        b"<1a/>",
        "`1a` is not the name of an element at line `1` column `1`",
    );
    refuse(
        b"<a/><?xml version='1.0'?>",
        "XML declaration is not at the beginning at line `1` column `5`",
    );
    for document in [
        &b"<a"[..],
        b"<a b=1/>",
        b"<a b='1' b='2'/>",
        b"<a>&</a>",
        b"<a>&#0;</a>",
        b"<a>&#xD800;</a>",
        b"<!-- a -- b --><a/>",
        b"<a><![CDATA[</a>",
        b"</a>",
        b"<>",
        b"<a b='<'/>",
        b"{\"not\": 1}",
    ] {
        let error = read(document).expect_err("the document was read");
        assert!(error.to_string().contains("column `"), "{error}");
    }
}

#[test]
fn every_limit_is_kept_and_named() {
    let deep = |levels: usize| ["<a>".repeat(levels), "</a>".repeat(levels)].concat();
    assert!(read(deep(MAX_DEPTH).as_bytes()).is_ok());
    refuse(
        deep(MAX_DEPTH + 1).as_bytes(),
        "element `a` at line `1` column `193` is nested deeper than `64` levels",
    );
    let wide = |children: usize| ["<a>", &"<b/>".repeat(children), "</a>"].concat();
    assert!(read(wide(MAX_ELEMENTS - 1).as_bytes()).is_ok());
    refuse(
        wide(MAX_ELEMENTS).as_bytes(),
        "element `b` at line `1` column `400000` is one more than the limit of `100000` elements",
    );
    let long = |bytes: usize| ["<a>", &"x".repeat(bytes), "</a>"].concat();
    assert!(read(long(MAX_TEXT_BYTES).as_bytes()).is_ok());
    refuse(
        long(MAX_TEXT_BYTES + 1).as_bytes(),
        "text of element `a` is longer than `8388608` bytes at line `1` column `4`",
    );
    let dressed = |attributes: usize| {
        let written: Vec<_> = (0..attributes).map(|n| format!(" b{n}=''")).collect();
        format!("<a{}/>", written.concat())
    };
    assert!(read(dressed(MAX_ATTRIBUTES).as_bytes()).is_ok());
    refuse(
        dressed(MAX_ATTRIBUTES + 1).as_bytes(),
        "element `a` at line `1` column `1` has more than `32` attributes",
    );
}

#[test]
fn a_document_is_read_up_to_16_mib_and_not_a_byte_more() {
    let document = |bytes: usize| {
        let mut document = b"<a/>".to_vec();
        document.resize(bytes, b' ');
        document
    };
    assert!(read(&document(MAX_DOCUMENT_BYTES)).is_ok());
    refuse(
        &document(MAX_DOCUMENT_BYTES + 1),
        "document of `16777217` bytes is larger than the limit of `16777216` bytes",
    );
}

#[test]
fn an_encoding_is_read_only_when_it_is_what_it_says() {
    let latin1 = b"<?xml version='1.0' encoding='iso-8859-1'?><a>Usulut\xE1n</a>";
    let document = read(latin1).unwrap();
    assert_eq!(document.root.text, "Usulut\u{e1}n");
    assert_eq!(document.foreign_encoding.as_deref(), Some("iso-8859-1"));
    refuse(
        "<?xml version='1.0' encoding='ISO-8859-1'?><a>Usulut\u{e1}n</a>".as_bytes(),
        "encoding is declared as `ISO-8859-1`, but the bytes are UTF-8",
    );
    refuse(
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\x93Siaga\x94</a>",
        "encoding is declared as `ISO-8859-1`, but the bytes are not, they hold control characters of it",
    );
    refuse(
        b"\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        "encoding is declared as `ISO-8859-1`, but the bytes are UTF-8, by their byte order mark",
    );
    refuse(
        b"<?xml version='1.0' encoding='UTF-8'?>\n<a>\xE9</a>",
        "document is not UTF-8 at line `2` column `4`",
    );
    refuse(
        b"<?xml version='1.0' encoding='UTF-16'?><a/>",
        "encoding is declared as `UTF-16`, but the bytes are one byte a character",
    );
    for wide in [
        &b"\xFF\xFE<\0a\0/\0>\0"[..],
        b"\xFE\xFF\0<\0a\0/\0>",
        b"<\0a\0/\0>\0",
    ] {
        refuse(
            wide,
            "encoding `UTF-16` is not read, only UTF-8 and ISO-8859-1 are",
        );
    }
}

#[test]
fn a_place_is_a_line_and_a_column() {
    refuse(
        b"<a>\n  <b>\n    &x;</b></a>",
        "entity `x` at line `3` column `5` is refused",
    );
    refuse(
        b"<a>\n<b c='1' c='2'/></a>",
        "error while parsing attribute: position 8: duplicated attribute, previous declaration at position 2 at line `2` column `1`",
    );
}

#[test]
fn a_long_attribute_is_refused_by_name() {
    let dressed = |bytes: usize| format!("<a b='{}'/>", "x".repeat(bytes));
    assert!(read(dressed(MAX_ATTRIBUTE_BYTES).as_bytes()).is_ok());
    refuse(
        dressed(MAX_ATTRIBUTE_BYTES + 1).as_bytes(),
        "attribute `b` of element `a` at line `1` column `1` is longer than `65536` bytes",
    );
}
