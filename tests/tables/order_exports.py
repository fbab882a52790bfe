"""The beginnings of files with a row a line of an order, as real programs write them, and of their likes.

Amazon's report and Etsy's, Odoo's export of sales with their lines, invoices of Spanish programs, and the
form of the data set Online Retail; the rows are made up.
"""

from __future__ import annotations

from tests.tables.exports import Export

ORDER_EXPORTS: dict[str, Export] = {
    "Lines of invoices": Export(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HEART HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
        "536365,71053,METAL LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n"
        "536366,22633,HAND WARMER,6,12/1/2010 8:28,1.85,17850,United Kingdom\n",
        "orders",
        {
            "order_id": "InvoiceNo",
            "customer_id": "CustomerID",
            "ts": "InvoiceDate",
            "sku": "StockCode",
            "quantity": "Quantity",
            "price": "UnitPrice",
            "country": "Country",
            "revenue": None,
        },
    ),
    "Lines of invoices in Spanish": Export(
        "Nº factura;Fecha;Cliente;Artículo;Descripción;Unidades;Precio;Importe;Provincia\n"
        "A-26/001;14/01/2026;4300012;ZAP41;Zapato;2;20,00;40,00;Madrid\n"
        "A-26/001;14/01/2026;4300012;CAL;Calcetín;3;2,50;7,50;Madrid\n"
        "A-26/002;15/01/2026;4300020;ZAP42;Zapato;1;20,00;20,00;Lugo\n",
        "orders",
        {
            "order_id": "Nº factura",
            "customer_id": "Cliente",
            "ts": "Fecha",
            "sku": "Artículo",
            "quantity": "Unidades",
            "price": "Precio",
            "amount": "Importe",
            "region": "Provincia",
            "revenue": None,
        },
    ),
    "Lines of invoices with the total of the invoice": Export(
        "Factura;Fecha;Cliente;Artículo;Unidades;Precio;Total factura\n"
        "1;14/01/2026;4300012;ZAP41;2;20,00;57,48\n"
        "1;14/01/2026;4300012;CAL;3;2,50;57,48\n"
        "2;15/01/2026;4300020;ZAP42;1;20,00;24,20\n",
        "orders",
        {
            "order_id": "Factura",
            "sku": "Artículo",
            "price": "Precio",
            "revenue": "Total factura",
            "amount": None,
        },
    ),
    "Odoo sale lines": Export(
        "Referencia del pedido,Cliente,Fecha de pedido,Líneas del pedido/Producto,"
        "Líneas del pedido/Cantidad,Líneas del pedido/Precio unitario,Total\n"
        "S00012,Ana Ruiz,2026-01-14 10:02:11,Zapato,2.0,20.0,57.48\n"
        ",,,Calcetín,3.0,2.5,\n"
        "S00013,Eva Sol,2026-01-15 11:32:40,Gorro,1.0,20.0,24.2\n",
        "orders",
        {
            "order_id": "Referencia del pedido",
            "customer_id": "Cliente",
            "ts": "Fecha de pedido",
            "sku": "Líneas del pedido/Producto",
            "quantity": "Líneas del pedido/Cantidad",
            "price": "Líneas del pedido/Precio unitario",
            "revenue": "Total",
        },
    ),
    "Amazon shipments": Export(
        "amazon-order-id\tmerchant-order-id\tshipment-id\tpurchase-date\tbuyer-email\tsku\tproduct-name\t"
        "quantity-shipped\tcurrency\titem-price\titem-tax\tship-city\tship-state\tship-country\n"
        "405-1\t\tD1\t2026-01-14T10:02:11+00:00\ta1@mail.example\tZAP41\tShoe\t2\tEUR\t40.00\t"
        "6.94\tMadrid\tMadrid\tES\n"
        "405-1\t\tD1\t2026-01-14T10:02:11+00:00\ta1@mail.example\tCAL\tSock\t3\tEUR\t7.50\t"
        "1.30\tMadrid\tMadrid\tES\n"
        "405-2\t\tD2\t2026-01-15T11:32:40+00:00\tb2@mail.example\tZAP42\tShoe\t1\tEUR\t20.00\t3.47\t"
        "Lugo\tLugo\tES\n",
        "orders",
        {
            "order_id": "amazon-order-id",
            "customer_id": "buyer-email",
            "ts": "purchase-date",
            "currency": "currency",
            "sku": "sku",
            "quantity": "quantity-shipped",
            "amount": "item-price",
            "price": None,
            "country": "ship-country",
        },
    ),
    "Etsy sold order items": Export(
        "Sale Date,Item Name,Buyer,Quantity,Price,Coupon Code,Discount Amount,Order Shipping,Order Sales Tax,"
        "Item Total,Currency,Transaction ID,Listing ID,Date Paid,Date Shipped,Ship Name,Ship City,Ship State,"
        "Ship Country,Order ID,Variations,SKU\n"
        "01/14/26,Fox sticker,ana_r,2,3.50,,0.00,2.90,0.00,7.00,EUR,111,901,01/14/26,,Ana R.,Madrid,M,Spain,"
        "5000001,,\n"
        "01/14/26,Owl sticker,ana_r,1,4.50,,0.00,2.90,0.00,4.50,EUR,112,902,01/14/26,,Ana R.,Madrid,M,Spain,"
        "5000001,,OWL\n"
        "01/15/26,Fox sticker,eva_s,1,3.50,,0.00,2.90,0.00,3.50,EUR,113,901,01/15/26,,Eva Sol,Lugo,LU,Spain,"
        "5000002,,\n",
        "orders",
        {
            "order_id": "Order ID",
            "customer_id": "Buyer",
            "ts": "Sale Date",
            "currency": "Currency",
            "sku": "Item Name",
            "quantity": "Quantity",
            "price": "Price",
            "amount": "Item Total",
            "city": "Ship City",
        },
    ),
    "Sales by article without a number": Export(
        "Fecha;Cód. cliente;Cód. artículo;Cantidad;Precio\n"
        "14/01/2026;12;ZAP41;2;20,00\n14/01/2026;12;CAL;3;2,50\n15/01/2026;20;ZAP42;1;20,00\n",
        "orders",
        {
            "customer_id": "Cód. cliente",
            "ts": "Fecha",
            "sku": "Cód. artículo",
            "quantity": "Cantidad",
            "price": "Precio",
            "order_id": None,
        },
    ),
    "Lines of orders of nobody": Export(
        "order_id,sku,quantity,price\n1,a,1,2.5\n1,b,2,3\n2,a,1,2.5\n",
        "order_items",
        {"order_id": "order_id", "sku": "sku", "quantity": "quantity", "price": "price"},
    ),
    "Views and purchases of products": Export(
        "event_time,event_type,product_id,category_code,price,user_id,user_session\n"
        "2019-10-01 00:00:00 UTC,view,44600062,shoes,35.79,541312140,72d76fde\n"
        "2019-10-01 00:00:01 UTC,view,3900821,socks,33.20,554748717,9333dfbd\n"
        "2019-10-01 00:00:09 UTC,purchase,44600062,shoes,35.79,541312140,72d76fde\n",
        "events",
        {"customer_id": "user_id", "ts": "event_time", "name": "event_type", "item": "product_id"},
    ),
}
